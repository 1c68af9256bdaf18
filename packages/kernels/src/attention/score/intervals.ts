import { type Graph, tableStart, type Value } from './graph.js';
import { loadText, operationText } from './operations.js';
import { isOfHead, rangeLookup } from './ranges.js';

/** WGSL (`i32`) of the minimum and maximum of an integer over a tile. */
interface Range {
  least: string;
  most: string;
}

/** WGSL (`bool`): `some` is false only if the condition holds for no pair of a tile; `all` is true only if it holds for every pair. */
interface Truth {
  some: string;
  all: string;
}

const both = (x: string, y: string, sign: '&' | '|'): string => {
  const [neutral, absorbing] = sign === '&' ? ['true', 'false'] : ['false', 'true'];
  if (x === absorbing || y === absorbing) return absorbing;
  return x === neutral ? y : y === neutral ? x : `(${x} ${sign} ${y})`;
};
export const opposite = (x: string): string =>
  x === 'true' ? 'false' : x === 'false' ? 'true' : `!${x}`;

/** Interval arithmetic over a tile of queries `q0 … q1` and keys `k0 … k1` of one head. */
export class TileIntervals {
  readonly lines: string[] = [];
  readonly #graph: Graph;
  readonly #points = new Map<Value, string>();
  readonly #ranges = new Map<Value, Range | undefined>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** WGSL of a value that is constant in a head. */
  point(value: Value): string {
    if (value.op === 'param' || value.op === 'literal') return value.text;
    if (value.op === 'b' || value.op === 'h') return value.op;
    let name = this.#points.get(value);
    if (name === undefined) {
      const args = value.args.map((arg) => this.point(arg));
      name = `v${value.id}`;
      this.lines.push(
        `let ${name} = ${value.op === 'load' ? loadText(value, args[0]!) : operationText(value, 'one', args)};`,
      );
      this.#points.set(value, name);
    }
    return name;
  }

  /** The range of an integer; undefined where none can be derived. */
  range(value: Value): Range | undefined {
    if (!this.#ranges.has(value)) this.#ranges.set(value, this.#named(value));
    return this.#ranges.get(value);
  }

  truth(value: Value): Truth {
    if (isOfHead(value)) {
      const text = this.point(value);
      return { some: text, all: text };
    }
    const unknown = { some: 'true', all: 'false' };
    if (value.op === 'and' || value.op === 'or') {
      const [x, y] = value.args.map((arg) => this.truth(arg)) as [Truth, Truth];
      const sign = value.op === 'and' ? '&' : '|';
      return { some: both(x.some, y.some, sign), all: both(x.all, y.all, sign) };
    }
    if (value.op === 'not') {
      const { some, all } = this.truth(value.args[0]!);
      return { some: opposite(all), all: opposite(some) };
    }
    if (value.args[0]?.type !== 'int') return unknown;
    const [x, y] = value.args.map((arg) => this.range(arg));
    if (!x || !y) return unknown;
    switch (value.op) {
      case 'less':
        return { some: `(${x.least} < ${y.most})`, all: `(${x.most} < ${y.least})` };
      case 'lessEqual':
        return { some: `(${x.least} <= ${y.most})`, all: `(${x.most} <= ${y.least})` };
      default:
        return {
          some: `((${x.least} <= ${y.most}) & (${y.least} <= ${x.most}))`,
          all: `((${x.least} == ${y.most}) & (${x.most} == ${y.least}))`,
        };
    }
  }

  #named(value: Value): Range | undefined {
    if (isOfHead(value)) {
      const text = this.point(value);
      return { least: text, most: text };
    }
    if (value.op === 'q' || value.op === 'k')
      return { least: `${value.op}0`, most: `${value.op}1` };
    const found = this.#computed(value);
    if (!found) return undefined;
    const names = { least: `least${value.id}`, most: `most${value.id}` };
    this.lines.push(`let ${names.least} = ${found.least};`, `let ${names.most} = ${found.most};`);
    return names;
  }

  #computed(value: Value): Range | undefined {
    if (value.op === 'load') return this.#loaded(value);
    if (value.op === 'toInt') return undefined;
    const ranges = (value.op === 'select' ? value.args.slice(1) : value.args).map((arg) =>
      this.range(arg),
    );
    if (ranges.some((range) => !range)) return undefined;
    const [x, y] = ranges as [Range, Range];
    const of = (op: string, a: string, b: string) => `${op}(${a}, ${b})`;
    switch (value.op) {
      case 'add':
        return { least: `${x.least} + ${y.least}`, most: `${x.most} + ${y.most}` };
      case 'sub':
        return { least: `${x.least} - ${y.most}`, most: `${x.most} - ${y.least}` };
      case 'neg':
        return { least: `-${x.most}`, most: `-${x.least}` };
      case 'min':
      case 'max':
        return { least: of(value.op, x.least, y.least), most: of(value.op, x.most, y.most) };
      case 'select':
        return { least: of('min', x.least, y.least), most: of('max', x.most, y.most) };
      case 'abs':
        return {
          least: `max(max(${x.least}, -${x.most}), 0)`,
          most: `max(-${x.least}, ${x.most})`,
        };
      case 'mul': {
        const products = [x.least, x.most].flatMap((a) => [
          `${a} * ${y.least}`,
          `${a} * ${y.most}`,
        ]);
        const outermost = (op: string) => products.reduce((a, b) => of(op, a, b));
        return { least: outermost('min'), most: outermost('max') };
      }
      case 'div':
      case 'mod':
        return isOfHead(value.args[1]!) ? divided(value.op, x, y.least) : undefined;
      default:
        return undefined;
    }
  }

  /** The range of a look-up, from the minima and maxima of the table. */
  #loaded(value: Value): Range | undefined {
    const lookup = rangeLookup(value);
    if (!lookup) return undefined;
    const { axis, table } = lookup;
    const row = lookup.row ? this.point(lookup.row) : '0';
    const start = tableStart(this.#graph.range(table));
    const name = `range${value.id}`;
    this.lines.push(
      `let ${name} = table_range(${start}, ${row}, ${this.point(lookup.last)}, ${axis}0, ${axis}1);`,
    );
    return { least: `${name}.x`, most: `${name}.y` };
  }
}

/** The range of a quotient or remainder by a constant: a quotient is monotonic, a remainder within one quotient. */
function divided(op: 'div' | 'mod', { least, most }: Range, by: string): Range {
  const [first, last] = [least, most].map((x) => `floor_div_one(${x}, ${by})`) as [string, string];
  if (op === 'div') return { least: `min(${first}, ${last})`, most: `max(${first}, ${last})` };
  const same = `${first} == ${last}`;
  return {
    least: `select(min(${by} + 1, 0), ${least} - ${first} * ${by}, ${same})`,
    most: `select(max(${by} - 1, 0), ${most} - ${last} * ${by}, ${same})`,
  };
}
