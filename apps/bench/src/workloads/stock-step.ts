import type { StepLayer, StepLinear, StepPlan } from '@headwise/decoding';
import type { DecodeWeight, Norm, StepScoring } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

/** Keys and values of past tokens, `[Hkv, T, Dh]` each. */
export interface PastTokens {
  k: tf.Tensor3D;
  v: tf.Tensor3D;
}

/**
 * One token of a decoder with pre-norm blocks in operations of TensorFlow.js, past keys and values joined with the new ones.
 *
 * @param plan of float32 weights
 * @param past of each layer
 * @returns scores, `[1, V]`
 */
export function stockStep(
  plan: StepPlan,
  past: readonly PastTokens[],
  { id, position }: { id: number; position: number },
): tf.Tensor2D {
  const { table, positions } = plan.embedding;
  const width = valuesOf(table[0]!).shape[1];
  let x = rowOf(table, id);
  if (positions) x = x.add(positions.slice([position, 0], [1, width]));
  const turns = (plan.rotary ?? []).map((one) => rotation(one.table(position + 1), position));
  for (const [i, layer] of plan.layers.entries()) {
    const normed = normOf(x, layer.norm1);
    const turn = layer.rotary === undefined ? undefined : turns[layer.rotary];
    x = x.add(linear(attention(linear(normed, layer.qkv), layer, past[i]!, turn), layer.out));
    x = x.add(feedForward(normOf(x, layer.norm2!), layer));
  }
  return linear(plan.norm ? normOf(x, plan.norm) : x, plan.head);
}

function attention(
  qkv: tf.Tensor2D,
  { scoring, kvHeads }: StepLayer,
  past: PastTokens,
  turn: ((x: tf.Tensor) => tf.Tensor) | undefined,
): tf.Tensor2D {
  const { heads, headDim, scale } = scoring as StepScoring;
  const [q, k, v] = qkv
    .reshape([heads + 2 * kvHeads, 1, headDim])
    .split([heads, kvHeads, kvHeads]) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const keys = tf.concat([past.k, turn?.(k) ?? k], 1); // [Hkv, T, Dh]
  const values = tf.concat([past.v, v], 1);
  // The heads that share keys are rows of one product.
  const queries = (turn?.(q) ?? q).reshape([kvHeads, heads / kvHeads, headDim]);
  const weights = tf.softmax(tf.matMul(queries, keys, false, true).mul(scale));
  return tf.matMul(weights, values).reshape([1, heads * headDim]);
}

function feedForward(x: tf.Tensor2D, { feedForward }: StepLayer): tf.Tensor2D {
  if ('router' in feedForward) throw new Error('stock operations have no experts');
  const { gate, up, bias, activation, down } = feedForward;
  if (!gate) return linear(activate(linear(x, { weights: [up], bias }), activation), down);
  const gated = activate(product(x, gate), activation);
  return linear(gated.mul(product(x, up)) as tf.Tensor2D, down);
}

function activate(x: tf.Tensor2D, activation: string): tf.Tensor2D {
  if (activation === 'silu') return x.mul(tf.sigmoid(x));
  const inner = x.add(x.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}

function valuesOf(weight: DecodeWeight): tf.Tensor2D {
  if ('values' in weight) return weight.values;
  throw new Error('stock operations have no packed weights');
}

function product(x: tf.Tensor2D, weight: DecodeWeight): tf.Tensor2D {
  const transposed = 'layout' in weight && weight.layout === 'out-in';
  return tf.matMul(x, valuesOf(weight), false, transposed);
}

function linear(x: tf.Tensor2D, { weights, bias }: StepLinear): tf.Tensor2D {
  const y = tf.concat(
    weights.map((weight) => product(x, weight)),
    1,
  );
  return bias ? y.add(bias) : y;
}

function normOf(x: tf.Tensor2D, norm: Norm): tf.Tensor2D {
  if (norm.kind === 'none') return x;
  const { epsilon = norm.kind === 'layer' ? 1e-5 : 1e-6 } = norm;
  if (norm.kind === 'rms') {
    return x.mul(tf.rsqrt(x.square().mean(1, true).add(epsilon))).mul(norm.weight!);
  }
  const { mean, variance } = tf.moments(x, 1, true);
  return x.sub(mean).div(variance.add(epsilon).sqrt()).mul(norm.weight!).add(norm.bias!);
}

/** A row of a table in one part or several. */
function rowOf(table: readonly DecodeWeight[], id: number): tf.Tensor2D {
  let row = id;
  for (const part of table) {
    const values = valuesOf(part);
    if (row < values.shape[0]) return tf.gather(values, tf.tensor1d([row], 'int32'));
    row -= values.shape[0];
  }
  throw new Error(`token ${id} is not in the table`);
}

/** Turns rows `[H, 1, Dh]` by the angles of a position: the halves of a row are pairs. */
function rotation(
  { cos, sin, pairs }: { cos: Float32Array; sin: Float32Array; pairs: number },
  position: number,
): (x: tf.Tensor) => tf.Tensor {
  const row = (table: Float32Array) =>
    tf.tensor1d(table.slice(position * pairs, (position + 1) * pairs));
  const [cosines, sines] = [row(cos), row(sin)];
  return (x) => {
    const [a, b] = x.split(2, -1) as [tf.Tensor, tf.Tensor];
    return tf.concat([a.mul(cosines).sub(b.mul(sines)), b.mul(cosines).add(a.mul(sines))], -1);
  };
}
