import type { ForwardContext, LanguageModel } from '@headwise/core';
import { sparseCrossEntropy } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

/** What a causal language model sees and what it should say next, row-major `[B, T]`. */
export interface TokenBatch {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  readonly shape: readonly [batch: number, tokens: number];
}

/**
 * The mean negative log-likelihood of the next token, in nats a token.
 *
 * @returns a scalar
 */
export function nextTokenLoss(
  network: LanguageModel,
  batch: TokenBatch,
  ctx?: ForwardContext,
): tf.Scalar {
  return tf.tidy(() => {
    const [rows, length] = batch.shape;
    const logits = network.forward(tf.tensor2d(batch.inputs, [rows, length], 'int32'), ctx);
    const flat = logits.reshape<tf.Tensor2D>([rows * length, network.vocabSize]);
    return sparseCrossEntropy(flat, tf.tensor1d(batch.targets, 'int32')).mean() as tf.Scalar;
  });
}
