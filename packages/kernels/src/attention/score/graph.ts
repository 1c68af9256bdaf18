import type * as tf from '@tensorflow/tfjs';
import { argsOf, type Node, type Operation, type Type } from '../expression/node.js';

/**
 * A value that a kernel computes: a node of an expression graph with common subexpressions shared.
 *
 * - `param`, `literal`: `text` is its WGSL
 * - `b`, `h`, `q`, `k`: batch row, head and positions; `product`: `q · k`, not scaled
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

/** A tensor that a graph reads, or the stored ranges (minimum and maximum of each 32 neighbours) of one. */
export interface GraphTable {
  readonly tensor: tf.Tensor;
  readonly type: 'float' | 'int';
  /** The index of the table whose ranges this one holds. */
  readonly rangesOf?: number | undefined;
}

/** WGSL (`i32`) of the offset of a table in the buffer `tables`. */
export const tableStart = (table: number): string => `params.table${table}`;

const literals: Record<Type, (x: number) => string> = {
  float: (x) => x.toFixed(1),
  int: String,
  condition: (x) => String(x !== 0),
};

/** The fields of `params` that a graph needs: its numbers, and the offset of each of its tables. */
export function graphFields({ params, tables }: Graph): Record<string, GraphParam['type']> {
  const fields: Record<string, GraphParam['type']> = {};
  for (const { name, type } of params) fields[name] = type;
  for (const n of tables.keys()) fields[`table${n}`] = 'i32';
  return fields;
}

/** The values of a graph's numbers, by their fields of `params`. */
export const graphValues = ({ params }: Graph): Record<string, number> =>
  Object.fromEntries(params.map(({ name, value }) => [name, value]));

/** The expressions of one call as values in topological order. */
export class Graph {
  readonly values: Value[] = [];
  readonly params: GraphParam[] = [];
  readonly tables: GraphTable[] = [];
  readonly product: Value;
  /** The variable `score` of expressions: the scaled product. */
  readonly score: Value;
  readonly #equal = new Map<string, Value>();
  readonly #ofNodes = new Map<Node, Value>();
  readonly #lastIndices = new Map<string, Value>();

  constructor(scale: number) {
    this.product = this.value('product', 'float');
    this.score = this.value('mul', 'float', [this.product, this.param('f32', scale)]);
  }

  /** Adds a value, or returns the equal one that exists. */
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

  /** Adds a number as a field of `params`, so that it is not part of the program's text. */
  param(type: 'f32' | 'i32', value: number): Value {
    const name = `g${this.params.length}`;
    this.params.push({ name, type, value });
    return this.value('param', type === 'f32' ? 'float' : 'int', [], `params.${name}`);
  }

  /** The index of a table, which is added where it is new. */
  table(tensor: tf.Tensor, type: 'float' | 'int'): number {
    return this.#table({ tensor, type });
  }

  /** The index of the range table of another table. */
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

  /** The structure of the graph: equal for graphs that differ in numbers and sizes only. */
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

  /** The element's index in a table; each axis' index is clamped to the axis. */
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

/** The values that `roots` depend on, roots included, in topological order. */
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
