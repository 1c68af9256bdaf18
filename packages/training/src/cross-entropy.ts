import { type CrossEntropyOptions, sparseCrossEntropy } from '@headwise/kernels';
import { checkIds } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

/** The target of a position that is not to be predicted: padding, a prompt. */
export const ignoredTarget = -100;

/** Terms added to the training loss. */
export type LossOptions = Pick<CrossEntropyOptions, 'labelSmoothing' | 'zLoss'>;

/**
 * The mean negative log-likelihood of labels, of those that are not ignored: the loss of a head that
 * classifies sequences or tokens, or says what masked tokens were.
 *
 * @param logits `[..., K]`
 * @param labels `[...]`, int32, in [0, K) or `ignoredTarget`
 * @returns a scalar; 0 where every label is ignored
 * @throws ShapeError where the number of labels is not that of rows; InputError naming the first label outside, its
 * position and `K`
 */
export function meanCrossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor,
  options: LossOptions = {},
): tf.Scalar {
  const count = logits.shape.at(-1)!;
  checkIds(labels, {
    name: 'label',
    count,
    of: `the ${count} classes of the logits`,
    ignored: ignoredTarget,
  });
  return tf.tidy(() => {
    const rows = logits.reshape<tf.Tensor2D>([-1, count]);
    const flat = labels.flatten();
    const losses = sparseCrossEntropy(rows, flat, { ...options, ignoreIndex: ignoredTarget });
    const counted = flat.notEqual(ignoredTarget).toFloat().sum().maximum(1);
    return losses.sum().div(counted) as tf.Scalar;
  });
}

/**
 * How many targets have the highest of their scores; ignored ones never do.
 *
 * @param logits `[..., K]`
 * @param targets `[...]`, int32
 * @returns a scalar
 */
export function countCorrect(logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.tidy(() => logits.argMax(-1).flatten().equal(targets.flatten()).toFloat().sum());
}

/** The number of targets that are not ignored. */
export function countTargets(targets: Int32Array): number {
  return targets.reduce((count, target) => (target === ignoredTarget ? count : count + 1), 0);
}

/** How many targets each row of `[B, T]` has that are not ignored. */
export function countRowTargets(
  targets: Int32Array,
  [rows, length]: readonly [rows: number, length: number],
): number[] {
  return Array.from({ length: rows }, (_, row) =>
    countTargets(targets.subarray(row * length, (row + 1) * length)),
  );
}
