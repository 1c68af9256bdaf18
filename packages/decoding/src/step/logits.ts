import { layerNorm, rmsNorm } from '@headwise/kernels';
import {
  attendStep,
  decodeGatedLinear,
  decodeLinear,
  embedToken,
  type KeysValues,
  type Norm,
  normalizeHeads,
  type StepScoring,
  type StepState,
} from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';
import type { StepBlockKind, StepLayer, StepPlan } from './plan.js';

/** What a step reads besides the plan. */
export interface StepInputs {
  state: StepState;
  /** The rows of a layer in the key-value cache, by its path. */
  rowsOf(path: string): KeysValues;
  /** Rotations of all positions that the cache has room for. */
  turn: StepScoring['turn'];
}

/**
 * Scores of the token after each one of the state, whose keys and values are appended to the cache.
 *
 * @returns `[R, V]`
 */
export function stepLogits(plan: StepPlan, inputs: StepInputs): tf.Tensor2D {
  const { table, scale, positions, norm } = plan.embedding;
  let x = embedToken(table, inputs.state, { scale, positions });
  if (norm) x = normed(x, norm);
  for (const layer of plan.layers) x = blocks[layer.kind](x, layer, attentionOf(layer, inputs));
  const { weights, bias } = plan.head;
  return decodeLinear(x, weights, { norm: plan.norm, bias });
}

/** Attention of a block to rows, normalised as they are read: `[R, D] → [R, H Dh]`. */
type Attention = (x: tf.Tensor2D, norm?: Norm) => tf.Tensor2D;

const attentionOf =
  (layer: StepLayer, { state, rowsOf, turn }: StepInputs): Attention =>
  (x, norm) => {
    const { path, qkv, kvHeads, scoring, headNorms } = layer;
    let rows = decodeLinear(x, qkv.weights, { norm, bias: qkv.bias });
    if (headNorms) rows = normalizeHeads(rows, { ...scoring, kvHeads }, headNorms);
    return attendStep(rows, rowsOf(path), state, { ...scoring, turn });
  };

/** Each kind of block: `[R, D] → [R, D]`. */
const blocks: Readonly<
  Record<StepBlockKind, (x: tf.Tensor2D, layer: StepLayer, attend: Attention) => tf.Tensor2D>
> = {
  'pre-norm': (x, layer, attend) => {
    const mid = projected(attend(x, layer.norm1), layer, x);
    return fed(mid, layer, layer.norm2, mid);
  },
  'post-norm': (x, layer, attend) => {
    const mid = normed(projected(attend(x), layer, x), layer.norm1);
    return normed(fed(mid, layer, undefined, mid), layer.norm2!);
  },
  'normed-stream': (x, layer, attend) => {
    const stream = normed(x, layer.norm1);
    const mid = normed(projected(attend(stream), layer, stream), layer.norm2!);
    return fed(mid, layer, undefined, mid);
  },
  parallel: parallel,
  'parallel-two-norms': parallel,
};

function parallel(x: tf.Tensor2D, layer: StepLayer, attend: Attention): tf.Tensor2D {
  const mixed = projected(attend(x, layer.norm1), layer, x);
  return fed(x, layer, layer.norm2 ?? layer.norm1, mixed);
}

/** The heads projected back, and added to rows. */
const projected = (heads: tf.Tensor2D, { out }: StepLayer, residual: tf.Tensor2D): tf.Tensor2D =>
  decodeLinear(heads, out.weights, { bias: out.bias, residual });

/** The feed-forward layer of rows, added to others. */
function fed(
  x: tf.Tensor2D,
  { feedForward }: StepLayer,
  norm: Norm | undefined,
  residual: tf.Tensor2D,
): tf.Tensor2D {
  const { gate, up, bias, activation, down } = feedForward;
  const options = { norm, bias, activation };
  const hidden = gate ? decodeGatedLinear(x, gate, up, options) : decodeLinear(x, up, options);
  return decodeLinear(hidden, down.weights, { bias: down.bias, residual });
}

/** Rows that are normalised in a dispatch of their own, because they are read as a residual too. */
function normed(x: tf.Tensor2D, norm: Norm): tf.Tensor2D {
  switch (norm.kind) {
    case 'layer':
      return layerNorm(x, norm.weight!, norm.bias!, norm.epsilon) as tf.Tensor2D;
    case 'rms':
      return rmsNorm(x, norm.weight!, norm.epsilon) as tf.Tensor2D;
    default:
      return x;
  }
}
