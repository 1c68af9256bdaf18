import { InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { finish } from '../dispatch/dispatch.js';
import { none } from './masks/mask.js';
import { causal } from './masks/order.js';
import {
  type BoundScore,
  layoutOf,
  runForward,
  runKeyGradient,
  runQueryGradient,
  type Sizes,
} from './passes.js';
import type { Tiling } from './programs.js';
import { scoreOf } from './score/score.js';
import {
  type Choices,
  choiceKey,
  choicesOf,
  type PassName,
  passNames,
  tilingsOf,
} from './tilings.js';

/** A shape of `attention` that a program is going to use. */
export interface AttentionShape {
  batch: number;
  heads: number;
  /** Default `heads`. */
  kvHeads?: number | undefined;
  queries: number;
  keys: number;
  /** `Dh`. */
  headDim: number;
  /** Default false. */
  causal?: boolean | undefined;
}

export interface TuneOptions {
  /** Also the backward. Default true. */
  training?: boolean | undefined;
  /** What an earlier call returned on the same adapter: not measured again. */
  known?: Choices | undefined;
}

/** Timed runs of each candidate, after one to compile it. */
const rounds = 3;
/** A candidate that takes this many times as long as the best so far is not run again. */
const hopeless = 3;

/**
 * Measures which tiling of `attention` is fastest for some shapes on this device, and uses it from then on.
 *
 * It runs beside other work: every pass is recorded and awaited by itself. A tiling has its own order
 * of sums, so that bits may change once, when the promise resolves; await it where that matters.
 *
 * @returns all choices so far, plain data to keep for the next start on the same adapter
 * @throws InputError for a shape with a size below 1
 */
export async function tuneAttention(
  shapes: readonly AttentionShape[],
  { training = true, known = {} }: TuneOptions = {},
): Promise<Choices> {
  if (tf.getBackend() !== 'webgpu') return {};
  const backend = tf.backend() as WebGPUBackend;
  const choices = choicesOf(backend);
  Object.assign(choices, known);
  for (const shape of shapes) {
    for (const [name, size] of Object.entries(shape)) {
      if (typeof size === 'number' && !(size >= 1)) {
        throw new InputError(`tuneAttention: ${name} is ${size}; expected at least 1`);
      }
    }
    const { kvHeads = shape.heads, headDim: width } = shape;
    const sizes: Sizes = { ...shape, kvHeads, widths: { key: width, value: width } };
    const names = training ? passNames : (['forward'] as const);
    const unknown = names.filter((name) => choices[choiceKey(name, sizes)] === undefined);
    if (unknown.length > 0) await measure(backend, sizes, shape.causal ?? false, unknown);
  }
  return { ...choices };
}

async function measure(
  backend: WebGPUBackend,
  sizes: Sizes,
  ordered: boolean,
  names: readonly PassName[],
): Promise<void> {
  const { batch, heads, kvHeads, queries, keys, widths } = sizes;
  const width = widths.key;
  const tensors = {
    q: tf.randomNormal([batch, heads, queries, width]),
    k: tf.randomNormal([batch, kvHeads, keys, width]),
    v: tf.randomNormal([batch, kvHeads, keys, width]),
  };
  const { q } = tensors;
  const options = { mask: ordered ? causal : none, mods: [], scale: 1 / Math.sqrt(width) };
  const score: BoundScore = { score: scoreOf(options), starts: {} };
  const tilings = tilingsOf(backend, widths);
  const place = { order: 'heads-first' } as const;
  const shapes = { q: q.shape, k: tensors.k.shape, v: tensors.v.shape };
  const layout = layoutOf(shapes, { q: place, k: place, v: place, y: place });
  const { y, stats } = runForward(backend, tilings[0]!, tensors, layout, score);
  const saved = { ...tensors, dy: q, y, stats };
  let rows: tf.TensorInfo | undefined;
  const rowsOf = () => {
    if (!rows) {
      const made = runQueryGradient(backend, tilings[0]!, saved, layout, score, like(q));
      backend.disposeData(made.dq.dataId);
      rows = made.rows;
    }
    return rows;
  };
  const like = ({ shape }: tf.Tensor) => ({ shape, dtype: 'float32' as const });
  const runs: Record<PassName, (tiling: Tiling) => Record<string, tf.TensorInfo>> = {
    forward: (tiling) => runForward(backend, tiling, tensors, layout, score),
    queryGradient: (tiling) => runQueryGradient(backend, tiling, saved, layout, score, like(q)),
    keyGradient: (tiling) =>
      runKeyGradient(backend, tiling, { ...tensors, dy: q, rows: rowsOf() }, layout, score, {
        dk: like(tensors.k),
        dv: like(tensors.v),
      }),
  };
  try {
    for (const name of names) {
      choicesOf(backend)[choiceKey(name, sizes)] = await fastest(backend, tilings, runs[name]);
    }
  } finally {
    for (const info of [y, stats, ...(rows ? [rows] : [])]) backend.disposeData(info.dataId);
    tf.dispose(tensors);
  }
}

/** The key of the tiling with the shortest of a few runs, in turns. */
async function fastest(
  backend: WebGPUBackend,
  tilings: readonly Tiling[],
  run: (tiling: Tiling) => Record<string, tf.TensorInfo>,
): Promise<string> {
  const best = new Map<Tiling, number>();
  const timed = async (tiling: Tiling) => {
    await finish(backend);
    const start = performance.now();
    const outputs = run(tiling);
    await finish(backend);
    for (const { dataId } of Object.values(outputs)) backend.disposeData(dataId);
    return performance.now() - start;
  };
  for (const tiling of tilings) await timed(tiling);
  for (let round = 0; round < rounds; round++) {
    for (const tiling of tilings) {
      const limit = hopeless * Math.min(...best.values());
      if ((best.get(tiling) ?? 0) > limit) continue;
      best.set(tiling, Math.min(best.get(tiling) ?? Number.POSITIVE_INFINITY, await timed(tiling)));
    }
  }
  const [[winner]] = [...best].sort((a, b) => a[1] - b[1]) as [[Tiling, number]];
  return winner.key;
}
