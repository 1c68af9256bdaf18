import * as tf from '@tensorflow/tfjs';
import { gatherRows } from '../../embedding/index.js';
import type { Table } from './node.js';
import { argsOf, type Node, type Operation, type Variable } from './node.js';

/** The sizes of the axes that expressions speak of. */
export interface PairSizes {
  batch: number;
  heads: number;
  queries: number;
  keys: number;
}

/** What the variables stand for, each of a shape that broadcasts to `[B, H, Tq, Tk]`. */
export type Values = Partial<Record<Variable, tf.Tensor>>;

/** The places of all pairs, int32: `b` `[B, 1, 1, 1]`, `h` `[1, H, 1, 1]`, `q` `[1, 1, Tq, 1]`, `k` `[1, 1, 1, Tk]`. */
export function placesOf({ batch, heads, queries, keys }: PairSizes): Values {
  const shift = keys - queries;
  const range = (first: number, count: number, axis: number) => {
    const shape = [1, 1, 1, 1];
    shape[axis] = count;
    return tf.range(first, first + count, 1, 'int32').reshape(shape);
  };
  return {
    b: range(0, batch, 0),
    h: range(0, heads, 1),
    q: range(shift, queries, 2),
    k: range(0, keys, 3),
    shift: tf.tensor(shift, [1, 1, 1, 1], 'int32'),
  };
}

/** An expression in plain operations: a tensor that broadcasts to `[B, H, Tq, Tk]`, differentiable. */
export function evaluate(node: Node, values: Values): tf.Tensor {
  const known = new Map<Node, tf.Tensor>();
  const tensorOf = (node: Node): tf.Tensor => {
    let value = known.get(node);
    if (!value) {
      value = compute(node, argsOf(node).map(tensorOf), values);
      known.set(node, value);
    }
    return value;
  };
  return tf.tidy(() => tensorOf(node));
}

const dtypes = { float: 'float32', int: 'int32', condition: 'bool' } as const;

function compute(node: Node, args: tf.Tensor[], values: Values): tf.Tensor {
  if (node.kind === 'constant' || node.kind === 'literal') {
    return tf.tensor(node.value, [1, 1, 1, 1], dtypes[node.type]);
  }
  if (node.kind === 'variable') return values[node.name]!;
  if (node.kind === 'lookup') return lookUp(node.table, args);
  const operate = node.type === 'int' ? { ...operations, ...ofIntegers } : operations;
  const of = operate[node.operation];
  const steps = node.type === 'condition' || node.operation === 'toInt';
  return steps ? withoutSlope(of, args) : of(args as Three);
}

/** Comparisons have no gradient in TensorFlow.js, not even of 0. */
export function withoutSlope(compute: Compute, args: tf.Tensor[]): tf.Tensor {
  const shapes = args.map(({ shape }) => shape);
  return tf.customGrad((...inputs) => ({
    value: compute(inputs.slice(0, args.length) as Three),
    gradFunc: () => shapes.map((shape) => tf.zeros(shape)),
  }))(...args);
}

type Three = [tf.Tensor, tf.Tensor, tf.Tensor];
type Compute = (args: Three) => tf.Tensor;

const operations: Record<Operation, Compute> = {
  add: ([x, y]) => x.add(y),
  sub: ([x, y]) => x.sub(y),
  mul: ([x, y]) => x.mul(y),
  div: ([x, y]) => x.div(y),
  mod: ([x, y]) => x.sub(x.floorDiv(y).mul(y)),
  min: ([x, y]) => tf.minimum(...ofOneShape(x, y)),
  max: ([x, y]) => tf.maximum(...ofOneShape(x, y)),
  neg: ([x]) => x.neg(),
  abs: ([x]) => x.abs(),
  floor: ([x]) => x.floor(),
  exp: ([x]) => x.exp(),
  log: ([x]) => x.log(),
  tanh: ([x]) => x.tanh(),
  sqrt: ([x]) => x.sqrt(),
  toFloat: ([x]) => x.toFloat(),
  toInt: ([x]) => x.toInt(),
  less: ([x, y]) => x.less(y),
  lessEqual: ([x, y]) => x.lessEqual(y),
  equal: ([x, y]) => x.equal(y),
  and: ([x, y]) => x.logicalAnd(y),
  or: ([x, y]) => x.logicalOr(y),
  not: ([x]) => x.logicalNot(),
  select: ([condition, x, y]) => tf.where(condition, x, y),
};

/** The gradients of TensorFlow.js's minimum and maximum are not summed over axes that were broadcast; those of `broadcastTo` are. */
function ofOneShape(x: tf.Tensor, y: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const shape = tf.backend_util.assertAndGetBroadcastShape(x.shape, y.shape);
  return [x.broadcastTo(shape), y.broadcastTo(shape)];
}

const ofIntegers: Partial<Record<Operation, Compute>> = {
  div: ([x, y]) => x.floorDiv(y),
  neg: ([x]) => tf.sub(tf.scalar(0, 'int32'), x),
  abs: ([x]) => x.maximum(tf.sub(tf.scalar(0, 'int32'), x)),
};

/** Values of a table by an index for each axis; gradients add up in a fixed order. */
function lookUp({ tensor, type }: Table, indices: tf.Tensor[]): tf.Tensor {
  let flat = tf.scalar(0, 'int32') as tf.Tensor;
  for (const [axis, index] of indices.entries()) {
    const size = tensor.shape[axis]!;
    const inside = index.maximum(tf.scalar(0, 'int32')).minimum(tf.scalar(size - 1, 'int32'));
    flat = flat.mul(tf.scalar(size, 'int32')).add(inside);
  }
  const { shape } = flat;
  if (type === 'int') return tf.gather(tensor.toInt().flatten(), flat.flatten()).reshape(shape);
  const rows = gatherRows(tensor.reshape([tensor.size, 1]), flat.flatten(), 'trusted');
  return rows.reshape(shape);
}
