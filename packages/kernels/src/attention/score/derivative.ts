import type { Operation } from '../expression/node.js';
import type { Graph, Value } from './graph.js';

/**
 * `∂value / ∂by`, as a value of the same graph; undefined where it is 0.
 *
 * Forward mode, so that the branch that `select` rejects is never multiplied, not even by 0: it may be infinite. At a
 * kink the derivative is that of TensorFlow.js.
 */
export function derivative(graph: Graph, value: Value, by: Value): Value | undefined {
  const known = new Map<Value, Value | undefined>();
  const float = (op: Operation, ...args: Value[]) => graph.value(op, 'float', args);
  const compare = (op: Operation, ...args: Value[]) => graph.value(op, 'condition', args);
  const [zero, one] = [0, 1].map((x) => graph.literal('float', x)) as [Value, Value];
  const times = (x: Value | undefined, y: Value) =>
    x && (x === one ? y : y === one ? x : float('mul', x, y));
  const plus = (x: Value | undefined, y: Value | undefined) =>
    x && y ? float('add', x, y) : (x ?? y);
  const negative = (x: Value | undefined) => x && float('neg', x);
  const over = (x: Value | undefined, y: Value) => x && float('div', x, y);
  const choice = (first: Value, x: Value | undefined, y: Value | undefined) =>
    x || y ? float('select', first, x ?? zero, y ?? zero) : undefined;

  function of(value: Value): Value | undefined {
    if (value === by) return one;
    if (value.type !== 'float') return undefined;
    if (!known.has(value)) known.set(value, derived(value));
    return known.get(value);
  }

  function derived(value: Value): Value | undefined {
    const [a, b, c] = value.args as [Value, Value, Value];
    switch (value.op) {
      case 'add':
        return plus(of(a), of(b));
      case 'sub':
        return plus(of(a), negative(of(b)));
      case 'mul':
        return plus(times(of(a), b), times(of(b), a));
      case 'div':
        return over(plus(of(a), negative(times(of(b), value))), b);
      case 'min':
        return choice(compare('lessEqual', a, b), of(a), of(b));
      case 'max':
        return choice(compare('lessEqual', b, a), of(a), of(b));
      case 'abs':
        return choice(compare('less', zero, a), of(a), negative(of(a)));
      case 'select':
        return choice(a, of(b), of(c));
      case 'neg':
        return negative(of(a));
      case 'exp':
        return times(of(a), value);
      case 'log':
        return over(of(a), a);
      case 'sqrt':
        return over(of(a), float('add', value, value));
      case 'tanh':
        return times(of(a), float('sub', one, float('mul', value, value)));
      default:
        return undefined;
    }
  }

  return of(value);
}
