import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { type Band, bandOf } from '../attention/score/band.js';
import type { PairFunctions } from '../attention/score/functions.js';
import { scoreProgram } from '../attention/score/program.js';

import type { RotaryLayout } from '../rotary/tables.js';
import { addressOf, output, type WasmBackend, withMemory } from '../wasm/heap.js';
import { type KernelName, launch, threadsOf } from '../wasm/module.js';
import type { Ring } from './ring.js';

/** Query rows of a chunk, and keys that are unpacked at a time. */
const [rowsOfChunk, keysOfBlock] = [4, 32];

interface Rotary {
  /** `[T, R/2]`, or `[B, T, R/2]` where sequences differ. */
  cos?: tf.TensorInfo | undefined;
  sin?: tf.TensorInfo | undefined;
}

interface AttendArguments {
  inputs: Record<'q' | 'k' | 'v', tf.TensorInfo> &
    Rotary & {
      places?: tf.TensorInfo | undefined;
      /** `[H]`: a score of each head that has no value. */
      sinks?: tf.TensorInfo | undefined;
    } & { readonly [table: `table${number}`]: tf.TensorInfo };
  backend: WasmBackend;
  attrs: {
    length: number;
    pairs: PairFunctions;
    ring?: Ring | undefined;
    layout?: RotaryLayout | undefined;
  };
}

/** @returns the output, `[B, H, Tq, Dh]` */
export function decodeAttentionWasmKernel({
  inputs,
  backend,
  attrs: { length, pairs, ring, layout },
}: AttendArguments): tf.TensorInfo[] {
  const { q, k, v, places, sinks, cos, sin } = inputs;
  const [batch, heads, queries, width] = q.shape as [number, number, number, number];
  const [, kvHeads, capacity] = k.shape as [number, number, number];
  const { graph, score, visible } = pairs;
  const y = output(backend, q.shape);
  // Several queries over a window see the tokens in its places, not the first ones.
  const plain =
    score === graph.score &&
    (!visible ? queries === 1 : seesPast(bandOf(graph, visible)) && (!ring || queries === 1));
  const tables = graph.tables.map((_, n) => addressOf(backend, inputs[`table${n}`]!));
  const program = plain
    ? { words: new Int32Array(0), bytes: 0 }
    : scoreProgram(graph, [score, visible, score], tables);
  const group = heads / kvHeads;
  run(backend, 'ATTEND_CACHE', batch * kvHeads * Math.ceil((group * queries) / rowsOfChunk), {
    ...{ q, k, v, y, places, sinks, cos, sin, layout, width, capacity, heads, group, queries },
    ...{ length, window: ring, program: program.words, scale: graph.params[0]!.value },
    perThread:
      4 * (rowsOfChunk + keysOfBlock) * width +
      rowsOfChunk * (4 * Math.min(length, capacity) + 16) +
      (program.bytes + 16),
  });
  return [y];
}

/** Whether a query sees the tokens up to its own, and no others. */
const seesPast = ({ before, behind, whole }: Band): boolean =>
  whole && behind === 0 && before >= 2 ** 30;

interface AppendArguments {
  inputs: Record<'k' | 'v' | 'cacheK' | 'cacheV', tf.TensorInfo> &
    Rotary & { places?: tf.TensorInfo | undefined };
  backend: WasmBackend;
  attrs: { position: number; sinks: number; ring: number; layout?: RotaryLayout | undefined };
}

/** Writes new rows to their places, keys turned where tables are given; makes no output. */
export function appendWasmKernel({
  inputs: { k, v, cacheK, cacheV, places, cos, sin },
  backend,
  attrs: { position, sinks, ring, layout },
}: AppendArguments): tf.TensorInfo[] {
  const [batch, heads, tokens, width] = k.shape as [number, number, number, number];
  run(backend, 'APPEND_TOKENS', batch * heads, {
    ...{ k: cacheK, v: cacheV, places, cos, sin, layout, width, capacity: cacheK.shape[2]! },
    ...{ heads, group: 1, queries: tokens, length: position + tokens },
    ...{ window: { sinks, size: ring }, added: { k, v }, perThread: 4 * width },
  });
  return [];
}

interface UnpackArguments {
  inputs: { words: tf.TensorInfo };
  backend: WasmBackend;
  attrs: { width: number; rows: number };
}

/** @returns the first rows as float32, `[…, rows, width]` */
export function unpackHalvesWasmKernel({
  inputs: { words },
  backend,
  attrs: { width, rows },
}: UnpackArguments): tf.TensorInfo {
  const leading = words.shape.slice(0, -2);
  const y = output(backend, [...leading, rows, width]);
  const given = [addressOf(backend, words), addressOf(backend, y), rows];
  launch(backend, 'UNPACK_HALVES', sizeOf(leading), [...given, words.shape.at(-2)!, width]);
  return y;
}

/** The arguments of the kernels in `assembly/decode.ts`. */
interface Given extends Rotary, Record<'k' | 'v', tf.TensorInfo> {
  q?: tf.TensorInfo | undefined;
  y?: tf.TensorInfo | undefined;
  places: tf.TensorInfo | undefined;
  sinks?: tf.TensorInfo | undefined;
  layout: RotaryLayout | undefined;
  width: number;
  capacity: number;
  heads: number;
  group: number;
  /** Or new tokens. */
  queries: number;
  length: number;
  window: Ring | undefined;
  program?: Int32Array | undefined;
  scale?: number | undefined;
  added?: Record<'k' | 'v', tf.TensorInfo> | undefined;
  /** Bytes that a thread needs. */
  perThread: number;
}

function run(backend: WasmBackend, kernel: KernelName, chunks: number, given: Given): void {
  const { q, k, v, y, places, sinks, cos, sin, layout, window, added, program } = given;
  const at = (tensor: tf.TensorInfo | undefined) => (tensor ? addressOf(backend, tensor) : 0);
  const perThread = Math.ceil(given.perThread / 16) * 16;
  const programBytes = program?.byteLength ?? 0;
  const pairs = cos?.shape.at(-1) ?? 0;
  const ofSequences = cos?.shape.length === 3;
  withMemory(backend, programBytes + threadsOf(backend) * perThread + 16, (start) => {
    const memory = Math.ceil((start + programBytes) / 16) * 16;
    if (program) new Int32Array(backend.wasm.HEAPU8.buffer, start, program.length).set(program);
    const integers = [
      ...[at(q), at(k), at(v), at(y), given.heads, given.group, given.queries, given.capacity],
      ...[given.width, given.length, at(places), at(sinks), at(cos), at(sin), pairs],
      ...[ofSequences ? 4 * cos.shape[1]! * pairs : 0, layout === 'interleaved' ? 1 : 0],
      ...[programBytes > 0 ? start : 0, memory, perThread, k.dtype === 'int32' ? 1 : 0],
      ...[window?.sinks ?? 0, window?.size ?? 0, at(added?.k), at(added?.v)],
    ];
    launch(backend, kernel, chunks, integers, [given.scale ?? 1]);
  });
}
