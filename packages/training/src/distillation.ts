import { checkShape, InputError, type LanguageModel, readTensor } from '@headwise/core';
import { checkIdValues, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import type { TokenBatch } from './causal-language-model.js';
import { countTargets, ignoredTarget, meanCrossEntropy } from './cross-entropy.js';
import type { Objective } from './objective.js';
import { checkPositive } from './preferences.js';

/** Texts with what a teacher thinks of each next token: its `k` highest scores. */
export interface TaughtBatch extends TokenBatch {
  /** `[B, T, k]`, the ids that the teacher scores highest. */
  readonly teacherIds: Int32Array;
  /** `[B, T, k]`, their logits. */
  readonly teacherLogits: Float32Array;
  readonly k: number;
}

export interface DistillationOptions {
  /** Softens both distributions; default 2. */
  temperature?: number | undefined;
  /** The share of the ordinary next-token loss, between 0 and 1; default 0.5. */
  targets?: number | undefined;
}

/**
 * Learns from a teacher's distributions: `(1 − α) τ² KL(p_teacher ‖ p_student) + α CE(targets)`, the mean over targets that are not ignored.
 *
 * The teacher's distribution is the softmax of its stored logits over `τ`, so that ids beyond them have no probability; the student's is over the
 * whole vocabulary.
 *
 * @see Hinton, Vinyals and Dean 2015, https://arxiv.org/abs/1503.02531
 */
export function distillation(
  network: LanguageModel,
  { temperature = 2, targets: share = 0.5 }: DistillationOptions = {},
): Objective<TaughtBatch> {
  const name = 'distillation';
  checkPositive(`${name}: temperature`, temperature);
  if (!(share >= 0 && share <= 1)) {
    throw new InputError(`${name}: targets is ${share}; expected a share from 0 to 1`);
  }
  const { vocabSize } = network;
  return {
    name,
    predicted: ({ targets }) => countTargets(targets),
    loss: (batch, ctx) => {
      const { inputs, targets, shape, teacherIds, teacherLogits, k } = batch;
      const places = shape[0] * shape[1];
      checkShape(`${name}: teacherIds`, [teacherIds.length], [places * k]);
      checkShape(`${name}: teacherLogits`, [teacherLogits.length], [places * k]);
      checkIdValues(teacherIds, vocabularyOf(vocabSize, 'teacher id'), [...shape, k]);
      checkIdValues(targets, vocabularyOf(vocabSize, 'target', ignoredTarget), shape);
      return tf.tidy(() => {
        const ids = tf.tensor2d(inputs, [...shape], 'int32');
        const logits = network.forward(ids, ctx).reshape<tf.Tensor2D>([places, vocabSize]);
        const counted = tf.tensor1d(
          Float32Array.from(targets, (target) => (target === ignoredTarget ? 0 : 1)),
        );
        const soft = tf.tensor2d(teacherLogits, [places, k]).div<tf.Tensor2D>(temperature);
        const entropy = soft.softmax().mul(soft.logSoftmax()).sum(1); // [N]
        const indices = tf
          .tensor1d(teacherIds, 'int32')
          .add(
            tf
              .range(0, places, 1, 'int32')
              .expandDims(1)
              .tile([1, k])
              .flatten()
              .mul(tf.scalar(vocabSize, 'int32')),
          );
        const dense = tf
          .scatterND(indices.expandDims(1).toInt(), soft.softmax().flatten(), [places * vocabSize])
          .reshape([places, vocabSize]);
        const student = logits.div<tf.Tensor2D>(temperature).logSoftmax();
        const divergence = entropy
          .sub(dense.mul(student).sum(1))
          .mul(counted)
          .sum()
          .div(counted.sum());
        const taught = divergence.mul(temperature ** 2 * (1 - share));
        if (share === 0) return taught as tf.Scalar;
        return meanCrossEntropy(logits, tf.tensor1d(targets, 'int32'))
          .mul(share)
          .add(taught) as tf.Scalar;
      });
    },
  };
}

/**
 * A batch with the highest scores of a teacher beside it, to be stored and learned from.
 *
 * @param k scores to keep of each next token
 */
export async function taught<B extends TokenBatch>(
  teacher: LanguageModel,
  batch: B,
  k: number,
): Promise<B & TaughtBatch> {
  if (!Number.isSafeInteger(k) || k < 1 || k > teacher.vocabSize) {
    throw new InputError(
      `taught: k is ${k}; expected a whole number from 1 to ${teacher.vocabSize}`,
    );
  }
  const best = tf.tidy(() => {
    const logits = teacher.forward(tf.tensor2d(batch.inputs, [...batch.shape], 'int32'));
    const { values, indices } = tf.topk(logits, k);
    return { values, indices: indices.toFloat() };
  });
  try {
    const teacherLogits = Float32Array.from(await readTensor(best.values));
    const teacherIds = Int32Array.from(await readTensor(best.indices));
    return { ...batch, teacherIds, teacherLogits, k };
  } finally {
    tf.dispose([best.values, best.indices]);
  }
}
