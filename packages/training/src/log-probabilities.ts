import { type ForwardContext, InputError, type LanguageModel, readTensor } from '@headwise/core';
import { sparseCrossEntropy } from '@headwise/kernels';
import { checkIdValues, vocabularyOf } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import type { TokenBatch } from './causal-language-model.js';
import { ignoredTarget } from './cross-entropy.js';

/**
 * The log-probability of each target, in nats.
 *
 * @returns `[B, T]`, 0 where a target is ignored
 * @throws InputError naming the first id or target outside the vocabulary
 */
export function tokenLogProbabilities(
  network: LanguageModel,
  { inputs, targets, shape }: TokenBatch,
  ctx?: ForwardContext,
): tf.Tensor2D {
  checkIdValues(targets, vocabularyOf(network.vocabSize, 'target', ignoredTarget), shape);
  return tf.tidy(() => {
    const ids = tf.tensor2d(inputs, [...shape], 'int32');
    const logits = network.forward(ids, ctx).reshape<tf.Tensor2D>([-1, network.vocabSize]);
    const flat = tf.tensor1d(targets, 'int32');
    return sparseCrossEntropy(logits, flat, { ignoreIndex: ignoredTarget })
      .neg()
      .reshape<tf.Tensor2D>([...shape]);
  });
}

/**
 * The log-probability of the targets of each row, in nats: what a preference loss compares with a reference.
 *
 * @returns `[B]`
 */
export function sequenceLogProbabilities(
  network: LanguageModel,
  batch: TokenBatch,
  ctx?: ForwardContext,
): tf.Tensor1D {
  return tf.tidy(() => tokenLogProbabilities(network, batch, ctx).sum<tf.Tensor1D>(1));
}

/** A prompt and how it may go on, as token ids. */
export interface Continuation {
  prompt: ArrayLike<number>;
  completion: ArrayLike<number>;
}

/**
 * The log-probabilities of completions after their prompts, computed once by the model that is a reference.
 *
 * @returns one for each continuation, in nats
 * @throws InputError for an empty prompt or completion
 */
export async function referenceLogProbabilities(
  network: LanguageModel,
  continuations: readonly Continuation[],
): Promise<number[]> {
  const found: number[] = [];
  for (const [n, { prompt, completion }] of continuations.entries()) {
    if (prompt.length === 0 || completion.length === 0) {
      throw new InputError(
        `referenceLogProbabilities: continuation ${n} has ${prompt.length} tokens of prompt and ${completion.length} of completion; expected at least one of each`,
      );
    }
    const ids = Int32Array.from([...Array.from(prompt), ...Array.from(completion)]);
    const targets = ids.slice(1).fill(ignoredTarget, 0, prompt.length - 1);
    const batch = { inputs: ids.slice(0, -1), targets, shape: [1, ids.length - 1] as const };
    const value = sequenceLogProbabilities(network, batch);
    found.push((await readTensor(value))[0]!);
    value.dispose();
  }
  return found;
}
