import { checkShape, InputError, type LanguageModel } from '@headwise/core';
import { stopGradient } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { TokenBatch } from './causal-language-model.js';
import { countRowTargets, ignoredTarget } from './cross-entropy.js';
import { tokenLogProbabilities } from './log-probabilities.js';
import type { Objective } from './objective.js';

/** Completions that the model wrote itself, and how good each was; targets of prompts are ignored. */
export interface RewardedBatch extends TokenBatch {
  /** `[B]`, how much better each completion is than the others of its prompt, as `groupAdvantages` computes it. */
  readonly advantages: Float32Array;
  /**
   * `[B, T]`, the log-probability of each target under the model that wrote it; default the model as it is, for a batch that is used
   * once.
   */
  readonly written?: Float32Array | undefined;
  /** `[B, T]`, under the reference model; needed where `beta` is not 0. */
  readonly reference?: Float32Array | undefined;
}

export interface GroupRelativePolicyOptions {
  /** How far the ratio to the model that wrote the completion counts: between `1 − epsilon` and `1 + epsilon`; default 0.2. */
  epsilon?: number | undefined;
  /** The weight of the divergence from the reference; default 0. */
  beta?: number | undefined;
}

/**
 * Group relative policy optimization: makes completions likelier that were rewarded more than others of the same prompt.
 *
 * `−min(ρ A, clip(ρ, 1 − ε, 1 + ε) A) + β ρ (e^d − d − 1)`, where `ρ = π / π_written` and `d = log π_ref − log π`, the mean over each
 * completion's tokens and then over the completions that have any. The divergence is weighed by `ρ`, which makes its gradient that of the reverse KL
 * (DeepSeek-V3.2, as TRL does by default).
 *
 * @see Shao et al. 2024, https://arxiv.org/abs/2402.03300; DeepSeek-AI 2025, https://arxiv.org/abs/2512.02556
 */
export function groupRelativePolicy(
  network: LanguageModel,
  { epsilon = 0.2, beta = 0 }: GroupRelativePolicyOptions = {},
): Objective<RewardedBatch> {
  const name = 'group relative policy optimization';
  if (!(epsilon > 0 && epsilon < 1)) {
    throw new InputError(`${name}: epsilon is ${epsilon}; expected a number between 0 and 1`);
  }
  if (!(beta >= 0)) throw new InputError(`${name}: beta is ${beta}; expected 0 or more`);
  return {
    name,
    predicted: ({ shape, targets }) => countRowTargets(targets, shape).filter((n) => n > 0).length,
    loss: (batch, ctx) => {
      const { targets, shape, advantages, written, reference } = batch;
      checkShape(`${name}: advantages`, [advantages.length], [shape[0]]);
      if (written) checkShape(`${name}: written`, [written.length], [targets.length]);
      if (reference) checkShape(`${name}: reference`, [reference.length], [targets.length]);
      if (beta > 0 && !reference) {
        throw new InputError(
          `${name}: beta is ${beta} and the batch has no reference; expected one`,
        );
      }
      return tf.tidy(() => {
        const table = (values: Float32Array) => tf.tensor2d(values, [...shape]);
        const now = tokenLogProbabilities(network, batch, ctx); // [B, T]
        const before = written ? table(written) : stopGradient(() => now.clone());
        const ratio = now.sub(before).exp();
        const advantage = tf.tensor2d(advantages, [shape[0], 1]);
        const clipped = ratio.clipByValue(1 - epsilon, 1 + epsilon);
        let losses = tf.minimum(ratio.mul(advantage), clipped.mul(advantage)).neg();
        if (beta > 0) {
          const away = table(reference!).sub(now);
          losses = losses.add(away.exp().sub(away).sub(1).mul(ratio).mul(beta));
        }
        const counted = tf.tensor2d(
          Float32Array.from(targets, (target) => (target === ignoredTarget ? 0 : 1)),
          [...shape],
        );
        const lengths = countRowTargets(targets, shape);
        const completions = Math.max(1, lengths.filter((length) => length > 0).length);
        const means = losses.mul(counted).sum(1).div(tf.tensor1d(lengths).maximum(1));
        return means.sum().div(completions) as tf.Scalar;
      });
    },
  };
}

/**
 * How much better each completion is than the others of its prompt: `(r − mean) / (std + 1e-4)` within groups.
 *
 * @param rewards of completions, those of one prompt side by side
 * @param size of a group, at least 2
 * @throws InputError where rewards do not fill groups, or one is not finite
 */
export function groupAdvantages(rewards: readonly number[], size: number): Float32Array {
  if (!Number.isSafeInteger(size) || size < 2 || rewards.length % size !== 0) {
    throw new InputError(
      `groupAdvantages: ${rewards.length} rewards in groups of ${size}; expected whole groups of at least 2`,
    );
  }
  const wrong = rewards.findIndex((reward) => !Number.isFinite(reward));
  if (wrong >= 0) {
    throw new InputError(
      `groupAdvantages: reward ${wrong} is ${rewards[wrong]}; expected a finite number`,
    );
  }
  return Float32Array.from(rewards, (reward, i) => {
    const group = rewards.slice(i - (i % size), i - (i % size) + size);
    const mean = group.reduce((sum, r) => sum + r, 0) / size;
    const variance = group.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (size - 1);
    return (reward - mean) / (Math.sqrt(variance) + 1e-4);
  });
}
