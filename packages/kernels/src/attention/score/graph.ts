import type * as tf from '@tensorflow/tfjs';
import { argsOf, type Node, type Operation, type Type } from '../expression/node.js';

/**
 * A value that a kernel computes: a node of an expression whose equal parts are one.
 *
 * - `param`, `literal`: `text` is its WGSL
 * - `b`, `h`, `q`, `k`: places; `product`: of the query and the key, not scaled
 * - `load`: element `args[0]` of table `text`
 */
export interface Value {
  readonly id: number;
  readonly type: Type;
  readonly op: Operation | 'param' | 'literal' | 'b' | 'h' | 'q' | 'k' | 'product' | 'load';
  readonly args: readonly Value[];
  readonly text: string;
}

/** A field of the uniform `params` that a graph needs. */
export interface GraphParam {
  readonly name: string;
  readonly type: 'f32' | 'i32';
  readonly value: number;
}

/** A tensor that a graph reads, or the least and largest values of 32 neighbours each of one. */
export interface GraphTable {
  readonly tensor: tf.Tensor;
  readonly type: 'float' | 'int';
  /** The number of the table whose ranges this one holds. */
  readonly rangesOf?: number;
}

/** WGSL of where a table begins in the buffer `tables`. */
export const tableStart = (table: number): string => `params.table${table}`;

const literals: Record<Type, (x: number) => string> = {
  float: (x) => x.toFixed(1),
  int: String,
  condition: (x) => String(x !== 0),
};

/** The expressions of one call as values, in an order in which they can be computed. */
export class Graph {
  readonly values: Value[] = [];
  readonly params: GraphParam[] = [];
  readonly tables: GraphTable[] = [];
  readonly product: Value;
  /** What `score` means in expressions: the scaled product. */
  readonly score: Value;
  readonly #equal = new Map<string, Value>();
  readonly #ofNodes = new Map<Node, Value>();
  readonly #lastIndices = new Map<string, Value>();

  constructor(scale: number) {
    this.product = this.value('product', 'float');
    this.score = this.value('mul', 'float', [this.product, this.param('f32', scale)]);
  }

  /** A value; the same one where there is an equal one. */
  value(op: Value['op'], type: Type, args: readonly Value[] = [], text = ''): Value {
    const key = `${op} ${type} ${text} ${args.map(({ id }) => id).join(' ')}`;
    let value = this.#equal.get(key);
    if (!value) {
      value = { id: this.values.length, type, op, args, text };
      this.values.push(value);
      this.#equal.set(key, value);
    }
    return value;
  }

  literal(type: Type, x: number): Value {
    return this.value('literal', type, [], literals[type](x));
  }

  /** A number that is no part of the program's text. */
  param(type: 'f32' | 'i32', value: number): Value {
    const name = `g${this.params.length}`;
    this.params.push({ name, type, value });
    return this.value('param', type === 'f32' ? 'float' : 'int', [], `params.${name}`);
  }

  /** The number of a table. */
  table(tensor: tf.Tensor, type: 'float' | 'int'): number {
    return this.#table({ tensor, type });
  }

  /** The number of the table that holds the ranges of another one. */
  range(table: number): number {
    return this.#table({ ...this.tables[table]!, rangesOf: table });
  }

  /** The value of a node of an expression. */
  of(node: Node): Value {
    let value = this.#ofNodes.get(node);
    if (!value) {
      value = this.#made(node);
      this.#ofNodes.set(node, value);
    }
    return value;
  }

  /** Tells graphs apart whose programs differ. */
  get key(): string {
    const values = this.values.map(
      ({ op, type, args, text }) => `${op} ${type} ${text} ${args.map(({ id }) => id).join(' ')}`,
    );
    return values.join(';');
  }

  #table(wanted: GraphTable): number {
    const { tensor, rangesOf } = wanted;
    const known = this.tables.findIndex((t) => t.tensor === tensor && t.rangesOf === rangesOf);
    return known >= 0 ? known : this.tables.push(wanted) - 1;
  }

  #made(node: Node): Value {
    const args = argsOf(node).map((arg) => this.of(arg));
    switch (node.kind) {
      case 'constant':
        return this.param(node.type === 'int' ? 'i32' : 'f32', node.value);
      case 'literal':
        return this.literal(node.type, node.value);
      case 'operation':
        return this.value(node.operation, node.type, args);
      case 'variable':
        if (node.name === 'score') return this.score;
        if (node.name === 'shift') return this.value('param', 'int', [], 'params.shift');
        return this.value(node.name, 'int');
      case 'lookup': {
        const { tensor, type } = node.table;
        const table = this.table(tensor, type);
        const place = this.#place(table, tensor.shape, args);
        return this.value('load', type, [place], String(table));
      }
    }
  }

  /** The element of a table that indices mean; outside an axis, the nearest end of it. */
  #place(table: number, shape: readonly number[], indices: readonly Value[]): Value {
    const int = (op: Operation, x: Value, y: Value) => this.value(op, 'int', [x, y]);
    const inside = (index: Value, axis: number) =>
      int(
        'min',
        int('max', index, this.literal('int', 0)),
        this.#lastIndex(table, axis, shape[axis]! - 1),
      );
    return indices.slice(1).reduce(
      (place, index, i) => {
        const size = int(
          'add',
          this.#lastIndex(table, i + 1, shape[i + 1]! - 1),
          this.literal('int', 1),
        );
        return int('add', int('mul', place, size), inside(index, i + 1));
      },
      inside(indices[0]!, 0),
    );
  }

  #lastIndex(table: number, axis: number, index: number): Value {
    const key = `${table}/${axis}`;
    let value = this.#lastIndices.get(key);
    if (!value) {
      value = this.param('i32', index);
      this.#lastIndices.set(key, value);
    }
    return value;
  }
}

/** The values that some values are computed from, themselves included, in order. */
export function needed(graph: Graph, roots: readonly Value[]): Value[] {
  const found = new Set<Value>();
  const visit = (value: Value) => {
    if (found.has(value)) return;
    found.add(value);
    value.args.forEach(visit);
  };
  roots.forEach(visit);
  return graph.values.filter((value) => found.has(value));
}
