import { layerNorm, rmsNorm } from '@headwise/kernels';
import {
  attendStep,
  decodeExperts,
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
import type { StepBlockKind, StepLayer, StepLinear, StepPlan } from './plan.js';

/** What a step reads besides the plan. */
export interface StepInputs {
  state: StepState;
  /** The rows of a layer in the key-value cache, by its path. */
  rowsOf(path: string): KeysValues;
  /** Rotations of all positions that the cache has room for, by the plan's numbers. */
  turns: readonly NonNullable<StepScoring['turn']>[];
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
  return scoresOf(x, plan);
}

function scoresOf(x: tf.Tensor2D, { head, norm }: StepPlan): tf.Tensor2D {
  const { weights, bias, scale = 1, softCap } = head;
  const plain = decodeLinear(x, weights, { norm, bias: scale === 1 ? bias : undefined });
  const scaled = scale === 1 ? plain : plain.mul<tf.Tensor2D>(scale);
  const scores = scale !== 1 && bias ? scaled.add<tf.Tensor2D>(bias) : scaled;
  return softCap === undefined ? scores : scores.div(softCap).tanh().mul<tf.Tensor2D>(softCap);
}

/** Attention of a block to rows, normalised as they are read: `[R, D] → [R, H Dh]`. */
type Attention = (x: tf.Tensor2D, norm?: Norm) => tf.Tensor2D;

const attentionOf =
  (layer: StepLayer, { state, rowsOf, turns }: StepInputs): Attention =>
  (x, norm) => {
    const { path, qkv, kvHeads, scoring, headNorms, acrossHeads, rotary } = layer;
    const turn = rotary === undefined ? undefined : turns[rotary];
    let rows = decodeLinear(x, qkv.weights, { norm, bias: qkv.bias });
    if (headNorms) {
      rows = normalizeHeads(rows, { ...scoring, kvHeads, across: acrossHeads }, headNorms);
    }
    return attendStep(rows, rowsOf(path), state, { ...scoring, turn });
  };

/** Each kind of block: `[R, D] → [R, D]`. */
const blocks: Readonly<
  Record<StepBlockKind, (x: tf.Tensor2D, layer: StepLayer, attend: Attention) => tf.Tensor2D>
> = {
  'pre-norm': sequential,
  'sandwich-norm': sequential,
  'output-norm': sequential,
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

function sequential(x: tf.Tensor2D, layer: StepLayer, attend: Attention): tf.Tensor2D {
  const mid = projected(attend(x, layer.norm1), layer, x);
  return fed(mid, layer, layer.norm2, mid);
}

function parallel(x: tf.Tensor2D, layer: StepLayer, attend: Attention): tf.Tensor2D {
  const mixed = projected(attend(x, layer.norm1), layer, x);
  return fed(x, layer, layer.norm2 ?? layer.norm1, mixed);
}

/** The heads projected back, and added to rows. */
const projected = (heads: tf.Tensor2D, layer: StepLayer, residual: tf.Tensor2D): tf.Tensor2D =>
  added(heads, layer.out, layer.mixNorm, { layer, residual });

/** A part's last map, its output added to rows. */
const added = (
  x: tf.Tensor2D,
  { weights, bias }: StepLinear,
  norm: Norm | undefined,
  to: { layer: StepLayer; residual: tf.Tensor2D },
): tf.Tensor2D => joined((more) => decodeLinear(x, weights, { bias, ...more }), norm, to);

/** What a part gives, normalised and scaled where the layer has it so, and added to rows; where it has not, the part adds it itself. */
function joined(
  part: (more: { residual?: tf.Tensor2D | undefined }) => tf.Tensor2D,
  norm: Norm | undefined,
  { layer, residual }: { layer: StepLayer; residual: tf.Tensor2D },
): tf.Tensor2D {
  const { residualScale = 1 } = layer;
  if (!norm && residualScale === 1) return part({ residual });
  const y = part({});
  const output = norm ? normed(y, norm) : y;
  return residual.add(residualScale === 1 ? output : output.mul(residualScale));
}

/** The feed-forward layer of rows, added to others. */
function fed(
  x: tf.Tensor2D,
  layer: StepLayer,
  norm: Norm | undefined,
  residual: tf.Tensor2D,
): tf.Tensor2D {
  const { feedForward, mlpNorm } = layer;
  if ('router' in feedForward) {
    return joined((more) => decodeExperts(x, feedForward, { norm, ...more }), mlpNorm, {
      layer,
      residual,
    });
  }
  const { gate, up, bias, activation, down } = feedForward;
  const options = { norm, bias, activation };
  const hidden = gate ? decodeGatedLinear(x, gate, up, options) : decodeLinear(x, up, options);
  return added(hidden, down, mlpNorm, { layer, residual });
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
