import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { row } from '../attention/expression/expression.js';
import { scoreTable } from '../attention/expression/table.js';
import { scoreMod } from '../attention/mods.js';
import { checkOperands } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { type RowAttentionOptions, rowAttention } from '../row-attention/index.js';
import type { RowTerm } from '../row-attention/term.js';
import { additiveGradient } from './gradient.js';
import { type AdditiveActivation, additiveScoresReference } from './reference.js';
import { additiveScoresGradientKernel, additiveScoresKernel } from './webgpu.js';

/**
 * Additive scores of every query and key: `s_ij = w · f(q_i + k_j)`.
 *
 * On WebGPU a tiled kernel each for the scores and for the gradients of queries and keys, none of which
 * stores `f(q_i + k_j)`; the scores themselves are `Tq · Tk` numbers.
 *
 * @param q `[B, H, Tq, A]`
 * @param k `[B, Hkv, Tk, A]`, where Hkv divides H
 * @param w `[H, A]`
 * @returns `[B, H, Tq, Tk]`
 * @throws ShapeError where the sizes do not fit or one is 0, InputError where a type is not float32
 */
export function additiveScores(
  q: tf.Tensor,
  k: tf.Tensor,
  w: tf.Tensor,
  activation: AdditiveActivation = 'tanh',
): tf.Tensor {
  checkShape('additiveScores: q', q.shape, ['B', 'H', 'Tq', 'A']);
  const [batch, heads, , width] = q.shape as [number, number, number, number];
  checkShape('additiveScores: k', k.shape, [batch, 'Hkv', 'Tk', width]);
  checkShape('additiveScores: w', w.shape, [heads, width]);
  checkOperands('additiveScores', { q, k, w });
  if (heads % k.shape[1]! !== 0) {
    throw new InputError(
      `additiveScores: q has ${heads} heads and k has ${k.shape[1]}; expected a multiple of k's`,
    );
  }
  if (!hasKernel('headwise/AdditiveScores')) return additiveScoresReference(q, k, w, activation);
  return tf.tidy(() => runKernel('headwise/AdditiveScores', { q, k, w }, { activation })[0]!);
}

/**
 * Additive attention: `softmax(mods(w · f(q_i + k_j)) + M) V`, with f the hyperbolic tangent, or another
 * activation.
 *
 * Queries go by the chunk, and the backward makes the scores anew, so that memory grows with T. Masks, mods,
 * sinks and dropout are those of `attention`.
 *
 * @param q `[B, H, Tq, A]`, the queries' projection
 * @param k `[B, Hkv, Tk, A]`, the keys' projection, where Hkv divides H
 * @param v `[B, Hkv, Tk, Dv]`
 * @param w `[H, A]`
 * @returns `[B, H, Tq, Dv]`
 * @throws ShapeError where the sizes do not fit, InputError where a type is not float32
 * @see Bahdanau, Cho and Bengio 2015, https://arxiv.org/abs/1409.0473
 */
export function additiveAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  w: tf.Tensor,
  {
    activation,
    ...options
  }: RowAttentionOptions & { activation?: AdditiveActivation | undefined } = {},
): tf.Tensor {
  return rowAttention(q, k, v, additiveTerm(w, activation), options);
}

/** The scores `w · f(q_i + k_j)` in the place of products, for `rowAttention`. */
export const additiveTerm = (w: tf.Tensor, activation?: AdditiveActivation): RowTerm => ({
  inputs: [w],
  replaces: true,
  mods({ q, k }, [w]) {
    const scores = additiveScores(q, k, w!, activation);
    return [scoreMod((_score, b, h, _q, k) => scoreTable(scores).at(b, h, row, k))];
  },
});

/** Makes `additiveScores` use its WebGPU kernels. */
export function registerAdditiveAttention(): void {
  registerWebGPUKernel('headwise/AdditiveScores', additiveScoresKernel);
  registerWebGPUKernel('headwise/AdditiveScoresGradient', additiveScoresGradientKernel);
  if (!tf.getGradient('headwise/AdditiveScores')) tf.registerGradient(additiveGradient);
}
