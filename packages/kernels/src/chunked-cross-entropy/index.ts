import { checkShape, InputError } from '@headwise/core';
import { mayNeedGradient } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import {
  checkedCrossEntropy,
  checkLabels,
  registerCrossEntropy,
  sparseCrossEntropy,
} from '../cross-entropy/index.js';
import type { CrossEntropyOptions } from '../cross-entropy/options.js';
import { checkNotEmpty, checkType } from '../dispatch/check.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';
import { PackedWeight } from '../packed-linear/pack.js';
import { biasOf, type Gradients, headScores, lossInChunks, type OwnHeadMatrix } from './chunks.js';
import type { ChunkedCrossEntropyOptions } from './options.js';
import {
  addInPlaceKernel,
  crossEntropyGradientInPlaceKernel,
  labelSharesKernel,
  weightedSumKernel,
} from './webgpu.js';

/**
 * The mean cross-entropy of a linear head, from hidden states, never holding all logits at once.
 *
 * `mean over counted n of crossEntropy(hidden[n] Wᵀ + b, labels[n])`, of `c tanh(s / c)` for a logit `s` where there is a soft-cap;
 * rows whose label is `ignoreIndex` do not count. On WebGPU the logits exist a few rows at a time, and turn into their gradient in
 * place; where a gradient is wanted it is computed along with the loss, and no product twice.
 *
 * @param hidden `[N, D]`
 * @param weight `[V, D]`, e.g. the table of token embeddings, or packed from the layout `out-in`; a packed one has no gradient
 * @param labels `[N]`, int32, each in [0, V) or `ignoreIndex`
 * @returns a scalar, 0 where no row counts
 * @throws ShapeError where widths, the bias or the number of labels differ, InputError for a label as in `sparseCrossEntropy`, and for a
 * soft-cap that is not above 0
 * @see Hsu et al. 2024, https://arxiv.org/abs/2410.10989
 */
export function chunkedCrossEntropy(
  hidden: tf.Tensor2D,
  weight: tf.Tensor2D | PackedWeight,
  labels: tf.Tensor1D,
  { bias, softCap, ...options }: ChunkedCrossEntropyOptions = {},
): tf.Scalar {
  checkShape('chunkedCrossEntropy: hidden', hidden.shape, ['N', 'D']);
  checkNotEmpty('chunkedCrossEntropy: hidden', hidden);
  const packed = weight instanceof PackedWeight;
  const shape = packed ? [weight.out, weight.in] : weight.shape;
  checkShape('chunkedCrossEntropy: weight', shape, ['V', hidden.shape[1]]);
  if (!packed) checkNotEmpty('chunkedCrossEntropy: weight', weight);
  checkShape('chunkedCrossEntropy: labels', labels.shape, [hidden.shape[0]]);
  checkType('chunkedCrossEntropy: labels', labels, 'int32');
  if (bias) checkShape('chunkedCrossEntropy: bias', bias.shape, [shape[0]!]);
  if (softCap !== undefined && !(softCap > 0 && Number.isFinite(softCap))) {
    throw new InputError(`chunkedCrossEntropy: softCap is ${softCap}; expected a number above 0`);
  }
  const attributes = checkedCrossEntropy('chunkedCrossEntropy', options);
  checkLabels(labels, shape[0]!, attributes.ignoreIndex);
  return tf.tidy(() => {
    const shares = sharesOf(labels, attributes.ignoreIndex); // [N]
    if (!hasKernel('headwise/CrossEntropyGradientInPlace')) {
      const logits = headScores(hidden, { weight, bias, softCap });
      return sparseCrossEntropy(logits, labels, attributes).mul(shares).sum() as tf.Scalar;
    }
    const given = { labels, shares, attributes, softCap };
    if (!tf.engine().isTapeOn()) return lossInChunks({ hidden, weight, bias, ...given }, []).loss;
    const inputs = Object.fromEntries(
      Object.entries({ hidden, ...(packed ? {} : { weight }), ...(bias ? { bias } : {}) }).filter(
        ([, tensor]) => mayNeedGradient(tensor as tf.Tensor),
      ),
    ) as Partial<Record<keyof Gradients, tf.Tensor>>;
    const names = Object.keys(inputs) as (keyof Gradients)[];
    // Nothing that it depends on is trained.
    if (names.length === 0) return lossInChunks({ hidden, weight, bias, ...given }, []).loss;
    return tf.customGrad((...all) => {
      const save = all.pop() as unknown as tf.GradSaveFunc;
      const tensors = Object.fromEntries(all.map((tensor, i) => [names[i]!, tensor]));
      const parts = { hidden, weight, bias, ...given, ...tensors } as Parameters<
        typeof lossInChunks
      >[0];
      const { loss, gradients } = lossInChunks(parts, names);
      save(names.map((name) => gradients[name]!));
      const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => saved.map((d) => d.mul(dy));
      return { value: loss, gradFunc };
    })(...Object.values(inputs)) as tf.Scalar;
  });
}

/** `chunkedCrossEntropy` of the scores that a head of one matrix makes. */
export const headLoss = (
  hidden: tf.Tensor2D,
  { weight, softCap, ...head }: OwnHeadMatrix,
  labels: tf.Tensor1D,
  options: CrossEntropyOptions,
): tf.Scalar =>
  tf.tidy(() =>
    chunkedCrossEntropy(hidden, weight, labels, { ...options, bias: biasOf(head), softCap }),
  );

/** What each row's loss counts for in the mean over rows that count. @returns `[N]` */
function sharesOf(labels: tf.Tensor1D, ignoreIndex: number): tf.Tensor1D {
  if (hasKernel('headwise/LabelShares')) {
    return runKernel('headwise/LabelShares', { labels }, { ignoreIndex })[0] as tf.Tensor1D;
  }
  const counted = tf.notEqual(labels, ignoreIndex).toFloat();
  return counted.div<tf.Tensor1D>(tf.maximum(counted.sum(), 1));
}

/** Makes `chunkedCrossEntropy` use its WebGPU kernels. */
export function registerChunkedCrossEntropy(): void {
  registerCrossEntropy();
  registerWebGPUKernel('headwise/CrossEntropyGradientInPlace', crossEntropyGradientInPlaceKernel);
  registerWebGPUKernel('headwise/AddInPlace', addInPlaceKernel);
  registerWebGPUKernel('headwise/LabelShares', labelSharesKernel);
  registerWebGPUKernel('headwise/WeightedSum', weightedSumKernel);
}
