import { checkShape } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import {
  type CrossEntropyOptions,
  checkedCrossEntropy,
  checkLabels,
  registerCrossEntropy,
  sparseCrossEntropy,
} from '../cross-entropy/index.js';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel } from '../dispatch/register.js';
import { linear } from '../linear/index.js';
import { lossInChunks } from './chunks.js';
import { addInPlaceKernel, crossEntropyGradientInPlaceKernel } from './webgpu.js';

/**
 * The mean cross-entropy of a linear head, from hidden states, never holding all logits at once.
 *
 * `mean over counted n of crossEntropy(hidden[n] Wᵀ, labels[n])`; rows whose label is `ignoreIndex`
 * do not count. On WebGPU the logits exist a few rows at a time, and turn into their gradient in
 * place; where a gradient is wanted it is computed along with the loss, and no product twice.
 *
 * @param hidden `[N, D]`
 * @param weight `[V, D]`, e.g. the table of token embeddings
 * @param labels `[N]`, int32, each in [0, V) or `ignoreIndex`
 * @returns a scalar, 0 where no row counts
 * @throws ShapeError where widths or the number of labels differ, InputError for a label as in `sparseCrossEntropy`
 * @see Hsu et al. 2024, https://arxiv.org/abs/2410.10989
 */
export function chunkedCrossEntropy(
  hidden: tf.Tensor2D,
  weight: tf.Tensor2D,
  labels: tf.Tensor1D,
  options: CrossEntropyOptions = {},
): tf.Scalar {
  checkShape('chunkedCrossEntropy: hidden', hidden.shape, ['N', 'D']);
  checkNotEmpty('chunkedCrossEntropy: hidden', hidden);
  checkShape('chunkedCrossEntropy: weight', weight.shape, ['V', hidden.shape[1]]);
  checkNotEmpty('chunkedCrossEntropy: weight', weight);
  checkShape('chunkedCrossEntropy: labels', labels.shape, [hidden.shape[0]]);
  checkType('chunkedCrossEntropy: labels', labels, 'int32');
  const attributes = checkedCrossEntropy('chunkedCrossEntropy', options);
  checkLabels(labels, weight.shape[0], attributes.ignoreIndex);
  return tf.tidy(() => {
    const counted = tf.notEqual(labels, attributes.ignoreIndex).toFloat(); // [N]
    const shares = counted.div<tf.Tensor1D>(tf.maximum(counted.sum(), 1)); // [N]
    if (!hasKernel('headwise/CrossEntropyGradientInPlace')) {
      const logits = linear(hidden, weight, undefined, 'out-in') as tf.Tensor2D;
      return sparseCrossEntropy(logits, labels, attributes).mul(shares).sum() as tf.Scalar;
    }
    const given = { labels, shares, attributes };
    if (!tf.engine().isTapeOn()) return lossInChunks({ hidden, weight, ...given }, false).loss;
    return tf.customGrad((hidden, weight, save) => {
      const parts = { hidden: hidden as tf.Tensor2D, weight: weight as tf.Tensor2D, ...given };
      const { loss, dHidden, dWeight } = lossInChunks(parts, true);
      (save as tf.GradSaveFunc)([dHidden!, dWeight!]);
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => saved.map((d) => d.mul(dy));
      return { value: loss, gradFunc };
    })(hidden, weight) as tf.Scalar;
  });
}

/** Makes `chunkedCrossEntropy` use its WebGPU kernels. */
export function registerChunkedCrossEntropy(): void {
  registerCrossEntropy();
  registerWebGPUKernel('headwise/CrossEntropyGradientInPlace', crossEntropyGradientInPlaceKernel);
  registerWebGPUKernel('headwise/AddInPlace', addInPlaceKernel);
}
