import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { KeysValues } from '../decode-attention/append.js';
import { wordsOf } from '../decode-attention/halves.js';
import { rowForm } from '../decode-attention/row-form.js';
import { dispatch } from '../dispatch/dispatch.js';
import type { RotaryTables } from '../rotary/tables.js';
import { attendProgram, type HeadsAtOnce, joinProgram, widestStepHead } from './attend-program.js';
import { checkState, type StepState, stateValues } from './state.js';

/** Keys of one workgroup, at least. */
const keysPerSplit = 256;
/** Parts beyond this many would make the second pass long. */
const mostSplits = 64;

/** How queries and keys of one layer are compared. */
export interface StepScoring {
  /** `H` */
  heads: number;
  /** `Dh` */
  headDim: number;
  /** Of the products of queries and keys. */
  scale: number;
  /** Rotates queries and keys: a row for each position, `[≥ C, R/2]`. */
  turn?: RotaryTables | undefined;
  /** ALiBi: the slope of each head, `[H]`, times the distance is taken from its scores. */
  slopes?: tf.Tensor1D | undefined;
  /** c: a score s becomes `c tanh(s / c)`. */
  softCap?: number | undefined;
  /** The number of tokens that a query sees, itself the last; default all. */
  window?: number | undefined;
}

/** Query heads that a workgroup has at once: those that share keys, or an even part of them. */
function headsAtOnce(group: number, most: HeadsAtOnce): HeadsAtOnce {
  const workgroups = Math.ceil(group / most);
  return Math.ceil(group / workgroups) as HeadsAtOnce;
}

/**
 * Attention of some tokens over a cache, to which their keys and values are appended in place: `softmax(q Kᵀ · scale) V` in
 * every head. A token attends to the older ones of its sequence, those of the same state included.
 *
 * One dispatch; where the cache has room for more than 256 tokens, a second one joins the parts of the keys. Positions and
 * places lie in the state, so that a recorded step can be replayed. For inference on WebGPU: it has no gradient.
 *
 * @param qkv `[R, (H + 2 Hkv) Dh]`: queries, keys and values of all heads side by side, before rotation
 * @param cache `[B, Hkv, C, Dh]` each; or int32, `[B, Hkv, C, ⌈Dh / 2⌉]`, two halves in a word
 * @param state of R tokens, with places in [0, B)
 * @param mostHeads the most query heads that a workgroup has at once, of those that share keys; fewer only to measure it
 * @returns `[R, H Dh]`; of a token without a sequence anything
 * @throws ShapeError where shapes do not fit, InputError for heads wider than 256
 */
export function attendStep(
  qkv: tf.Tensor2D,
  cache: KeysValues,
  state: StepState,
  scoring: StepScoring,
  mostHeads: HeadsAtOnce = 4,
): tf.Tensor2D {
  const { heads, headDim: width, scale, turn, slopes, softCap, window } = scoring;
  if (width > widestStepHead) {
    throw new InputError(`attendStep: heads are ${width} wide; expected at most ${widestStepHead}`);
  }
  checkState('attendStep', state);
  const halves = cache.k.dtype === 'int32';
  const cached = ['B', 'Hkv', 'C', halves ? wordsOf(width) : width] as const;
  checkShape('attendStep: k', cache.k.shape, [...cached]);
  checkShape('attendStep: v', cache.v.shape, cache.k.shape);
  const [, kvHeads, capacity] = cache.k.shape as [number, number, number];
  if (heads % kvHeads !== 0) {
    throw new InputError(
      `attendStep: ${heads} heads of queries and ${kvHeads} of keys; expected a multiple`,
    );
  }
  const rows = state.shape[0];
  checkShape('attendStep: qkv', qkv.shape, [rows, (heads + 2 * kvHeads) * width]);
  if (turn) {
    checkShape('attendStep: cos', turn.cos.shape, ['C', 'R/2']);
    checkShape('attendStep: sin', turn.sin.shape, turn.cos.shape);
  }
  if (slopes) checkShape('attendStep: slopes', slopes.shape, [heads]);
  const steps = Math.ceil(capacity / keysPerSplit);
  const perSplit = keysPerSplit * Math.ceil(steps / mostSplits);
  const splits = Math.ceil(capacity / perSplit);
  const split = splits > 1;
  const group = heads / kvHeads;
  const together = headsAtOnce(group, mostHeads);
  const variant = {
    halves,
    width,
    layout: turn?.layout,
    slopes: slopes !== undefined,
    softCap: softCap !== undefined,
    split,
    together,
  };
  const backend = tf.backend() as WebGPUBackend;
  const shared = {
    splits,
    per_split: perSplit,
    window: window ?? 0xffffffff,
    ...stateValues(state),
  };
  const { y, peaks } = dispatch(backend, attendProgram(variant), {
    inputs: {
      qkv,
      state,
      ...(turn ? { cos: turn.cos, sin: turn.sin } : {}),
      ...(slopes ? { slopes } : {}),
    },
    outputs: {
      cacheK: cache.k,
      cacheV: cache.v,
      y: { shape: split ? [rows * heads, splits, width] : [rows, heads * width], dtype: 'float32' },
      ...(split ? { peaks: { shape: [rows * heads, splits, 2], dtype: 'float32' as const } } : {}),
    },
    params: {
      kv_heads: kvHeads,
      group,
      width,
      stored: Math.ceil(width / rowForm(halves, width).pack),
      capacity,
      pairs: turn?.cos.shape[1] ?? 0,
      scale,
      soft_cap: softCap ?? 0,
      ...shared,
    },
    workgroups: [kvHeads * Math.ceil(group / together), splits, rows],
  });
  if (!split) return tf.engine().makeTensorFromTensorInfo(y!) as tf.Tensor2D;
  const size = heads * width;
  const joined = dispatch(backend, joinProgram, {
    inputs: { partial: y!, peaks: peaks!, state },
    outputs: { y: { shape: [rows, size], dtype: 'float32' } },
    params: { size, width, ...shared },
    workgroups: [Math.ceil(size / 64), rows],
  });
  for (const { dataId } of [y!, peaks!]) backend.disposeData(dataId);
  return tf.engine().makeTensorFromTensorInfo(joined.y) as tf.Tensor2D;
}
