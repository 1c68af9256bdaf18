import { keyOf, sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { Wanted } from '../dispatch/register.js';
import { thresholdOf } from '../dropout/reference.js';
import { addressOf, output, type WasmBackend, withMemory } from '../wasm/heap.js';
import { kernelsOf, launch, threadsOf } from '../wasm/module.js';
import type { Strides } from './heads.js';
import type { Layout } from './passes.js';
import { bandOf } from './score/band.js';
import { type Results, scoreProgram } from './score/program.js';
import { sourcesOf } from './score/tables.js';
import { type AttentionAttributes, operandsIn, takesPart } from './webgpu.js';

interface Arguments {
  /** The tensors that `q k v` lie in, the tables of the score, and in the backward `y stats dy`. */
  inputs: tf.TensorInfo[];
  backend: WasmBackend;
  attrs: AttentionAttributes;
}

/** Queries of a chunk of the forward: many, as each packs the keys again. */
const part = 128;

/** @returns the output, `[B, H, Tq, Dv]` or `[B, Tq, H, Dv]`, and the softmax statistics of each query, `[B, H, Tq, 2]` */
export function attentionWasmKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { tensors, layout, others } = operandsIn(inputs, attrs);
  const { batch, heads, kvHeads, queries } = layout;
  const y = output(backend, layout.output);
  const stats = output(backend, [batch, heads, queries, 2]);
  const chunks = batch * kvHeads * Math.ceil(queries / part);
  run(backend, 'ATTEND', chunks, { ...tensors, y, stats }, { attrs, layout, others, part });
  return [y, stats];
}

/**
 * @returns the gradients that are wanted of the tensors that `q k v` lie in, by their index; `rows`, `[B, H, Tq, 4]`: largest
 * score, log-sum, `D = Σ y dy` and 0 of each query
 */
export function attentionGradientWasmKernel({
  inputs,
  backend,
  attrs,
}: Arguments & { attrs: Wanted<string> }): tf.TensorInfo[] {
  const { tensors, layout, others } = operandsIn(inputs, attrs);
  const { batch, heads, kvHeads, queries } = layout;
  const [y, stats, dy] = others.slice(-3) as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
  const given = { attrs, layout, others, part };
  const rows = output(backend, [batch, heads, queries, 4]);
  run(backend, 'ATTEND_ROWS', batch * heads, { y, stats, dy, rows }, given);
  const made: tf.TensorInfo[] = [];
  const gradientOf = (input: number): tf.TensorInfo | undefined => {
    if (!attrs.wanted.includes(String(input))) return undefined;
    made[input] ??= emptyGradient(backend, inputs[input]!, attrs, input);
    return made[input];
  };
  const [dq, dk, dv] = attrs.operands.map(({ input }) => gradientOf(input));
  if (made.length > 0) {
    const all = { ...tensors, dy, rows, dq, dk, dv };
    run(backend, 'ATTEND_GRADIENT', batch * kvHeads, all, given);
  }
  if (!attrs.wanted.includes('rows')) backend.disposeData(rows.dataId);
  return attrs.wanted.map((name) => (name === 'rows' ? rows : made[Number(name)]!));
}

/** @returns the gradient of a table, `[elements, 1]`, from `q k v`, the tables, `dy` and `rows` */
export function attentionTableGradientWasmKernel({
  inputs,
  backend,
  attrs,
}: Arguments & { attrs: { table: number } }): tf.TensorInfo[] {
  const { tensors, layout, others } = operandsIn(inputs, attrs);
  const [dy, rows] = others.slice(-2) as [tf.TensorInfo, tf.TensorInfo];
  const { score, table } = attrs;
  const sum = output(backend, [sizeOf(others[table]!.shape), 1]);
  clear(backend, sum);
  for (const { derivative, element } of score.lookups.filter((site) => site.table === table)) {
    const results: Results = [score.score, score.visible, derivative, element];
    const pairs = layout.batch * layout.heads;
    const given = { attrs, layout, others, part: pairs, results };
    run(backend, 'ATTEND_TABLE', 1, { ...tensors, dy, rows, table: sum }, given);
  }
  return [sum];
}

type Operands = Partial<
  Record<
    'q' | 'k' | 'v' | 'y' | 'stats' | 'dy' | 'rows' | 'dq' | 'dk' | 'dv' | 'table',
    tf.TensorInfo | undefined
  >
>;

interface Given {
  attrs: AttentionAttributes;
  layout: Layout;
  /** The tables of the score first. */
  others: readonly tf.TensorInfo[];
  part: number;
  /** Default the score, whether it is visible, and its slope. */
  results?: Results | undefined;
}

function run(
  backend: WasmBackend,
  kernel: 'ATTEND' | 'ATTEND_ROWS' | 'ATTEND_GRADIENT' | 'ATTEND_TABLE',
  chunks: number,
  operands: Operands,
  { attrs: { score }, layout, others, part, results }: Given,
): void {
  const { heads, kvHeads, queries, keys, widths, strides } = layout;
  const at = (tensor: tf.TensorInfo | undefined) => (tensor ? addressOf(backend, tensor) : 0);
  const tables = sourcesOf(score.graph).map((_, i) => at(others[i]));
  const band = bandOf(score.graph, score.visible);
  const plain = results === undefined && score.score === score.graph.score && band.whole;
  const program = plain
    ? { words: new Int32Array(0), bytes: 0 }
    : scoreProgram(score.graph, results ?? [score.score, score.visible, score.slope], tables);
  const { exports } = kernelsOf(backend);
  const { key, value } = widths;
  const perThread = Math.ceil((exports.attentionBytes(keys, key, value) + program.bytes) / 16) * 16;
  const programBytes = program.words.byteLength;
  const threads = threadsOf(backend);
  withMemory(backend, programBytes + threads * perThread + 32, (start) => {
    const memory = Math.ceil((start + programBytes) / 16) * 16;
    new Int32Array(backend.wasm.HEAPU8.buffer, start, program.words.length).set(program.words);
    const { rate, seed } = score.dropout ?? { rate: 0, seed: 0 };
    const { q, k, v, y, stats, dy, rows, dq, dk, dv, table } = operands;
    const integers = [
      ...[heads, heads / kvHeads, queries, keys, key, value, memory, perThread],
      ...[programBytes > 0 ? start : 0, band.before, score.dropout ? 1 : 0],
      ...[...keyOf(seed), thresholdOf(rate), part, band.behind],
      ...[strides.q, strides.k, strides.v, strides.y].flatMap(bytesOf),
      ...[0, 0, 0, 0],
      ...[at(q) + 4 * strides.q.start, at(k) + 4 * strides.k.start, at(v) + 4 * strides.v.start],
      ...[
        at(y) + 4 * strides.y.start,
        at(stats),
        score.sink ? tables[Number(score.sink.text)]! : 0,
      ],
      ...[at(dy) + 4 * strides.y.start, at(rows)],
      ...[dq ? at(dq) + 4 * strides.q.start : 0, dk ? at(dk) + 4 * strides.k.start : 0],
      ...[dv ? at(dv) + 4 * strides.v.start : 0, at(table)],
    ];
    launch(backend, kernel, chunks, integers, [scaleOf(score), 1 / (1 - rate)]);
  });
}

const bytesOf = ({ batch, head, row }: Strides) => [4 * batch, 4 * head, 4 * row];

/** What the products are scaled by: the first number of every score's graph. */
const scaleOf = ({ graph }: AttentionAttributes['score']): number => graph.params[0]!.value;

/** What the gradient of an input is written to: zeros where not all of its heads take part. */
function emptyGradient(
  backend: WasmBackend,
  { shape }: tf.TensorInfo,
  attributes: AttentionAttributes,
  input: number,
): tf.TensorInfo {
  const made = output(backend, shape);
  if (!takesPart(attributes, input, shape)) clear(backend, made);
  return made;
}

function clear(backend: WasmBackend, tensor: tf.TensorInfo): void {
  const at = addressOf(backend, tensor);
  backend.wasm.HEAPU8.fill(0, at, at + 4 * sizeOf(tensor.shape));
}
