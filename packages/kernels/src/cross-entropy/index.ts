import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { checkIds } from '../ids/index.js';
import { crossEntropyGradient } from './gradient.js';
import type { CheckedCrossEntropy, CrossEntropyOptions } from './options.js';
import { crossEntropyPlain } from './plain.js';
import { crossEntropyGradientKernel, crossEntropyKernel } from './webgpu.js';

/**
 * The cross-entropy of each row's label, from logits, without one-hot labels; fused on WebGPU.
 *
 * `loss = z − (1 − ε) x[label] − ε mean(x) + ζ z²`, where `z = log Σ exp(x)`, in nats;
 * `dx = dy · ((1 + 2 ζ z) softmax(x) − (1 − ε) onehot − ε / V)`.
 *
 * @param logits `[N, V]`
 * @param labels `[N]`, int32, each in [0, V) or `ignoreIndex`
 * @returns `[N]`
 * @throws ShapeError where the number of labels differs from the number of rows, InputError as `checkIds` does for a
 * label out of range; the loss of one that only the device has is NaN
 * @see Szegedy et al. 2016 (label smoothing), https://arxiv.org/abs/1512.00567;
 * Chowdhery et al. 2022 (z-loss), https://arxiv.org/abs/2204.02311
 */
export function sparseCrossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  options: CrossEntropyOptions = {},
): tf.Tensor1D {
  checkShape('sparseCrossEntropy: logits', logits.shape, ['N', 'V']);
  checkNotEmpty('sparseCrossEntropy: logits', logits);
  checkShape('sparseCrossEntropy: labels', labels.shape, [logits.shape[0]]);
  checkType('sparseCrossEntropy: logits', logits, 'float32');
  checkType('sparseCrossEntropy: labels', labels, 'int32');
  const attributes = checkedCrossEntropy('sparseCrossEntropy', options);
  checkLabels(labels, logits.shape[1], attributes.ignoreIndex);
  if (!hasKernel('headwise/CrossEntropy')) return crossEntropyPlain(logits, labels, attributes);
  return tf.tidy(
    () =>
      runKernel('headwise/CrossEntropy', { logits, labels }, { ...attributes })[0] as tf.Tensor1D,
  );
}

/** Throws unless every label is a class, or the one that is ignored. */
export function checkLabels(labels: tf.Tensor1D, count: number, ignored: number): void {
  checkIds(labels, { name: 'label', count, of: `the ${count} classes of the logits`, ignored });
}

/**
 * The options with their defaults.
 *
 * @throws InputError naming the option, its value and its range
 */
export function checkedCrossEntropy(
  what: string,
  { labelSmoothing = 0, ignoreIndex = -100, zLoss = 0 }: CrossEntropyOptions,
): CheckedCrossEntropy {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new InputError(
      `${what}: labelSmoothing is ${labelSmoothing}; expected 0 ≤ labelSmoothing ≤ 1`,
    );
  }
  if (!Number.isInteger(ignoreIndex)) {
    throw new InputError(`${what}: ignoreIndex is ${ignoreIndex}; expected a whole number`);
  }
  if (!(zLoss >= 0 && Number.isFinite(zLoss))) {
    throw new InputError(`${what}: zLoss is ${zLoss}; expected a number of at least 0`);
  }
  return { labelSmoothing, ignoreIndex, zLoss };
}

/** Makes `sparseCrossEntropy` use its WebGPU kernels. */
export function registerCrossEntropy(): void {
  registerWebGPUKernel('headwise/CrossEntropy', crossEntropyKernel);
  registerWebGPUKernel('headwise/CrossEntropyGradient', crossEntropyGradientKernel);
  if (!tf.getGradient('headwise/CrossEntropy')) tf.registerGradient(crossEntropyGradient);
}
