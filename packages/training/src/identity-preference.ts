import type { LanguageModel } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { countRowTargets } from './cross-entropy.js';
import type { Objective } from './objective.js';
import { checkPositive, logRatios, type PreferenceBatch, pairsOf } from './preferences.js';

/**
 * Identity preference optimization: drives the difference of log-ratios to `1 / 2β` and no further, so that certain
 * preferences do not pull the model away from the reference without end.
 *
 * `(r⁺ − r⁻ − 1 / 2β)²`, the mean over pairs, where `r` is the mean log-ratio of a completion's tokens, as in TRL.
 *
 * @param options `beta`: the paper's τ, default 0.1
 * @see Azar et al. 2023, equation 17, https://arxiv.org/abs/2310.12036
 */
export function identityPreference(
  network: LanguageModel,
  { beta = 0.1 }: { beta?: number | undefined } = {},
): Objective<PreferenceBatch> {
  const name = 'identity preference optimization';
  checkPositive(`${name}: beta`, beta);
  return {
    name,
    predicted: pairsOf,
    loss: (batch, ctx) =>
      tf.tidy(() => {
        const [chosen, rejected] = logRatios(name, network, batch, ctx);
        const lengths = tf.tensor1d(countRowTargets(batch.targets, batch.shape)).maximum(1);
        const [ofChosen, ofRejected] = tf.split(lengths, 2);
        const difference = chosen.div(ofChosen!).sub(rejected.div(ofRejected!));
        return difference
          .sub(1 / (2 * beta))
          .square()
          .mean() as tf.Scalar;
      }),
  };
}
