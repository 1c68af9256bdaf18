import type { Type } from '../expression/node.js';
import { type Graph, needed, type Value } from './graph.js';

/** The numbers of operations in `assembly/score.ts`, by their name and the type of their first argument. */
const numbers: Readonly<Record<string, number>> = {
  ...{ b: 1, h: 2, q: 3, k: 4, load: 6 },
  ...{ 'add float': 7, 'sub float': 8, 'mul float': 9, 'div float': 10, 'min float': 11 },
  ...{ 'max float': 12, 'neg float': 13, 'abs float': 14, 'floor float': 15, 'exp float': 16 },
  ...{ 'log float': 17, 'tanh float': 18, 'sqrt float': 19, 'toFloat int': 20, 'toInt float': 21 },
  ...{ 'less float': 22, 'lessEqual float': 23, 'equal float': 24 },
  ...{ 'add int': 25, 'sub int': 26, 'mul int': 27, 'div int': 28, 'min int': 29, 'max int': 30 },
  ...{ 'neg int': 31, 'abs int': 32, 'mod int': 33 },
  ...{ 'less int': 34, 'lessEqual int': 35, 'equal int': 36 },
  ...{ 'and condition': 37, 'or condition': 38, 'not condition': 39, 'select condition': 40 },
};
const [number, shift] = [0, 5];

/** The place that stands for the product, and for none. */
const [productPlace, none] = [-2, -1];

/** Bytes of a value that depends on the key, of 128 of them, and of one that does not. */
const [wide, narrow] = [512, 16];

/** A score's operations for the kernels of WebAssembly, as `assembly/score.ts` reads them. */
export interface ScoreProgram {
  words: Int32Array;
  /** Of a thread's values. */
  bytes: number;
}

/** What a program computes: the score, whether it is visible, its slope, and the element of a table that is looked up. */
export type Results = readonly [
  score: Value,
  visible: Value | undefined,
  slope: Value,
  element?: Value,
];

/**
 * Compiles values of a graph.
 *
 * @param tables addresses of the graph's tables
 */
export function scoreProgram(
  graph: Graph,
  results: Results,
  tables: readonly number[],
): ScoreProgram {
  const values = needed(
    graph,
    results.filter((value) => value !== undefined),
  ).filter(({ op }) => op !== 'product');
  const varies = new Map<Value, boolean>();
  const doesVary = (value: Value): boolean => {
    if (value.op === 'product' || value.op === 'k') return true;
    const known = varies.get(value) ?? value.args.some(doesVary);
    varies.set(value, known);
    return known;
  };
  const fixed = values.filter((value) => !doesVary(value));
  const others = values.filter(doesVary);
  const places = new Map<Value, number>([[graph.product, productPlace]]);
  for (const [i, value] of fixed.entries()) places.set(value, i * narrow);
  const fixedBytes = fixed.length * narrow;
  for (const [i, value] of others.entries()) places.set(value, fixedBytes + i * wide);
  const place = (value: Value | undefined) => (value ? places.get(value)! : none);
  const words: number[] = [fixed.length + others.length, fixed.length, fixedBytes];
  for (let n = 0; n < 4; n++) words.push(place(results[n]));
  for (const value of [...fixed, ...others]) {
    const [x, y, z] = value.args;
    const [op, immediate] = operationOf(graph, value, tables);
    // An argument that is not there reads the value's own place, and is not used.
    const own = place(value);
    words.push(op, own, x ? place(x) : own, y ? place(y) : own, z ? place(z) : own, immediate);
  }
  return { words: Int32Array.from(words), bytes: fixedBytes + others.length * wide };
}

/** The number of an operation, and the number that it is given. */
function operationOf(
  graph: Graph,
  { op, type, args, text }: Value,
  tables: readonly number[],
): [operation: number, immediate: number] {
  if (op === 'literal') return [number, literalBits(type, text)];
  if (op === 'param') {
    if (text === 'params.shift') return [shift, 0];
    const { type, value } = graph.params.find(({ name }) => text === `params.${name}`)!;
    return [number, type === 'f32' ? bitsOf(value) : value];
  }
  if (op === 'load') return [numbers.load!, tables[Number(text)]!];
  const found = numbers[op] ?? numbers[`${op} ${args[0]!.type}`];
  if (found === undefined) throw new Error(`no kernel computes ${op} of ${args[0]!.type}`);
  return [found, 0];
}

/** The bits of a literal, whose text is WGSL. */
function literalBits(type: Type, text: string): number {
  if (type === 'condition') return text === 'true' ? -1 : 0;
  return type === 'float' ? bitsOf(Number(text)) : Number(text);
}

const bitsOf = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!;
