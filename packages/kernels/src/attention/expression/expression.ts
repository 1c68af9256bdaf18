import { InputError } from '@headwise/core';
import { type Node, type Operation, operation, type Type, variable } from './node.js';

const constant = (type: Type, value: number): Node => ({ kind: 'constant', type, value });

/** A number that a kernel computes for each pair of a query and a key. */
export class FloatExpression {
  constructor(readonly node: Node) {}

  /** The node of an expression, or of a number. */
  static nodeOf(x: FloatExpression | number): Node {
    return typeof x === 'number' ? constant('float', x) : x.node;
  }

  add(x: FloatExpression | number): FloatExpression {
    return this.#with('add', x);
  }
  sub(x: FloatExpression | number): FloatExpression {
    return this.#with('sub', x);
  }
  mul(x: FloatExpression | number): FloatExpression {
    return this.#with('mul', x);
  }
  div(x: FloatExpression | number): FloatExpression {
    return this.#with('div', x);
  }
  min(x: FloatExpression | number): FloatExpression {
    return this.#with('min', x);
  }
  max(x: FloatExpression | number): FloatExpression {
    return this.#with('max', x);
  }
  neg(): FloatExpression {
    return this.#of('neg');
  }
  abs(): FloatExpression {
    return this.#of('abs');
  }
  exp(): FloatExpression {
    return this.#of('exp');
  }
  /** The natural logarithm. */
  log(): FloatExpression {
    return this.#of('log');
  }
  tanh(): FloatExpression {
    return this.#of('tanh');
  }
  sqrt(): FloatExpression {
    return this.#of('sqrt');
  }
  square(): FloatExpression {
    return this.mul(this);
  }
  /** Its derivative is 0. */
  floor(): FloatExpression {
    return this.#of('floor');
  }
  /** What is behind the point is cut off. */
  toInt(): IntExpression {
    return new IntExpression(operation('int', 'toInt', this.node));
  }
  less(x: FloatExpression | number): Condition {
    return compared('less', this.node, FloatExpression.nodeOf(x));
  }
  lessEqual(x: FloatExpression | number): Condition {
    return compared('lessEqual', this.node, FloatExpression.nodeOf(x));
  }
  greater(x: FloatExpression | number): Condition {
    return compared('less', FloatExpression.nodeOf(x), this.node);
  }
  greaterEqual(x: FloatExpression | number): Condition {
    return compared('lessEqual', FloatExpression.nodeOf(x), this.node);
  }
  equal(x: FloatExpression | number): Condition {
    return compared('equal', this.node, FloatExpression.nodeOf(x));
  }

  #of(name: Operation): FloatExpression {
    return new FloatExpression(operation('float', name, this.node));
  }
  #with(name: Operation, x: FloatExpression | number): FloatExpression {
    return new FloatExpression(operation('float', name, this.node, FloatExpression.nodeOf(x)));
  }
}

/** A whole number that a kernel computes for each pair: a place, a distance, an index. */
export class IntExpression {
  constructor(readonly node: Node) {}

  /** The node of an expression, or of a whole number. */
  static nodeOf(x: IntExpression | number): Node {
    if (typeof x !== 'number') return x.node;
    if (!(Number.isInteger(x) && Math.abs(x) < 2 ** 31)) {
      throw new InputError(`an integer expression met ${x}; expected a whole number of 32 bits`);
    }
    return constant('int', x);
  }

  add(x: IntExpression | number): IntExpression {
    return this.#with('add', x);
  }
  sub(x: IntExpression | number): IntExpression {
    return this.#with('sub', x);
  }
  mul(x: IntExpression | number): IntExpression {
    return this.#with('mul', x);
  }
  /** Rounded down. */
  div(x: IntExpression | number): IntExpression {
    return this.#with('div', x);
  }
  /** What `div` leaves: of the sign of the divisor. */
  mod(x: IntExpression | number): IntExpression {
    return this.#with('mod', x);
  }
  min(x: IntExpression | number): IntExpression {
    return this.#with('min', x);
  }
  max(x: IntExpression | number): IntExpression {
    return this.#with('max', x);
  }
  neg(): IntExpression {
    return new IntExpression(operation('int', 'neg', this.node));
  }
  abs(): IntExpression {
    return new IntExpression(operation('int', 'abs', this.node));
  }
  toFloat(): FloatExpression {
    return new FloatExpression(operation('float', 'toFloat', this.node));
  }
  less(x: IntExpression | number): Condition {
    return compared('less', this.node, IntExpression.nodeOf(x));
  }
  lessEqual(x: IntExpression | number): Condition {
    return compared('lessEqual', this.node, IntExpression.nodeOf(x));
  }
  greater(x: IntExpression | number): Condition {
    return compared('less', IntExpression.nodeOf(x), this.node);
  }
  greaterEqual(x: IntExpression | number): Condition {
    return compared('lessEqual', IntExpression.nodeOf(x), this.node);
  }
  equal(x: IntExpression | number): Condition {
    return compared('equal', this.node, IntExpression.nodeOf(x));
  }

  #with(name: Operation, x: IntExpression | number): IntExpression {
    return new IntExpression(operation('int', name, this.node, IntExpression.nodeOf(x)));
  }
}

/** Something that holds for a pair of a query and a key, or does not. */
export class Condition {
  constructor(readonly node: Node) {}

  and(x: Condition): Condition {
    return compared('and', this.node, x.node);
  }
  or(x: Condition): Condition {
    return compared('or', this.node, x.node);
  }
  not(): Condition {
    return compared('not', this.node);
  }
}

const compared = (name: Operation, ...args: Node[]): Condition =>
  new Condition(operation('condition', name, ...args));

/** One of two expressions of the same type. */
export function select(
  condition: Condition,
  a: FloatExpression,
  b: FloatExpression | number,
): FloatExpression;
export function select(
  condition: Condition,
  a: IntExpression,
  b: IntExpression | number,
): IntExpression;
export function select(condition: Condition, a: number, b: FloatExpression): FloatExpression;
export function select(condition: Condition, a: number, b: IntExpression): IntExpression;
export function select(
  condition: Condition,
  a: FloatExpression | IntExpression | number,
  b: FloatExpression | IntExpression | number,
): FloatExpression | IntExpression {
  if (a instanceof IntExpression || b instanceof IntExpression) {
    const [x, y] = [a, b].map((side) => IntExpression.nodeOf(side as IntExpression | number));
    return new IntExpression(operation('int', 'select', condition.node, x!, y!));
  }
  const [x, y] = [a, b].map((side) => FloatExpression.nodeOf(side));
  return new FloatExpression(operation('float', 'select', condition.node, x!, y!));
}

/** The batch row of a pair. */
export const b: IntExpression = new IntExpression(variable('b'));
/** The head of the query. */
export const h: IntExpression = new IntExpression(variable('h'));
/** The place of the query on the axis of the keys: the last query stands at the last key. */
export const q: IntExpression = new IntExpression(variable('q'));
/** The place of the key. */
export const k: IntExpression = new IntExpression(variable('k'));
/** The row of the query among the queries. */
export const row: IntExpression = q.sub(new IntExpression(variable('shift')));
