import { checkShape, checkWhenRead, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkedSampling, type SamplingOptions } from './options.js';
import { candidatesOfRow, drawCandidate } from './reference.js';
import { checkDrawn } from './scores.js';
import { countKernel, sampleKernel } from './webgpu.js';

/**
 * Draws the next token of each row of scores; on WebGPU in one dispatch, or two with penalties, so
 * that only the ids need to be read.
 *
 * The same seed draws the same ids, on every backend but for rounding.
 *
 * @param logits `[B, V]`; −∞ for what cannot be drawn
 * @param seed a whole number from 0 to 2⁵³ − 1; a new one for each position
 * @param history `[B, T]`, int32: the ids that penalties are for, each in [0, V); −1 is none
 * @returns ids `[B]`, int32
 * @throws InputError for options out of range, and naming row and token for a score that is NaN or +∞, or where
 * all of a row are −∞; on WebGPU, where only the device has the scores, `readTensor` of the ids throws it.
 * ShapeError where the rows differ
 */
export function sampleTokens(
  logits: tf.Tensor2D,
  options: SamplingOptions,
  seed: number,
  history?: tf.Tensor2D,
): tf.Tensor1D {
  checkShape('sampleTokens: logits', logits.shape, ['B', 'V']);
  checkNotEmpty('sampleTokens: logits', logits);
  checkType('sampleTokens: logits', logits, 'float32');
  if (history) {
    checkShape('sampleTokens: history', history.shape, [logits.shape[0], 'T']);
    checkType('sampleTokens: history', history, 'int32');
  }
  if (!(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new InputError(`sampleTokens: seed is ${seed}; expected a whole number of at least 0`);
  }
  const checked = checkedSampling(options);
  const past = history && history.size > 0 && penalises(checked) ? history : undefined;
  // There is no other path: in Node, WebGPU's values cannot be read at once.
  if (tf.getBackend() === 'webgpu') registerSampling();
  return tf.tidy(() => {
    if (!hasKernel('headwise/Sample')) return sampleInJavaScript(logits, checked, seed, past);
    const vocabulary = logits.shape[1];
    const counts = past && runKernel('headwise/CountTokens', { history: past }, { vocabulary })[0];
    const inputs = counts ? { logits, counts } : { logits };
    const ids = runKernel('headwise/Sample', inputs, { ...checked, seed })[0] as tf.Tensor1D;
    checkWhenRead(ids, (values) => checkDrawn('sampleTokens', values, vocabulary));
    return ids;
  });
}

const penalises = (options: Required<SamplingOptions>): boolean =>
  options.repetitionPenalty !== 1 ||
  options.frequencyPenalty !== 0 ||
  options.presencePenalty !== 0;

/** The path of other backends, whose values can be read at once. */
function sampleInJavaScript(
  logits: tf.Tensor2D,
  options: Required<SamplingOptions>,
  seed: number,
  history: tf.Tensor2D | undefined,
): tf.Tensor1D {
  const [rows, vocabulary] = logits.shape;
  const scores = logits.dataSync();
  const past = history?.dataSync() ?? [];
  const ids = Int32Array.from({ length: rows }, (_, row) => {
    const own = scores.slice(row * vocabulary, (row + 1) * vocabulary);
    const before = past.slice((row * past.length) / rows, ((row + 1) * past.length) / rows);
    return drawCandidate(candidatesOfRow('sampleTokens', row, own, options, before), seed, row);
  });
  return tf.tensor1d(ids, 'int32');
}

/** Makes `sampleTokens` use its WebGPU kernels. */
export function registerSampling(): void {
  registerWebGPUKernel('headwise/CountTokens', countKernel as never);
  registerWebGPUKernel('headwise/Sample', sampleKernel as never);
}
