import type { LanguageModel } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { Objective } from './objective.js';
import { checkPositive, logRatios, type PreferenceBatch, pairsOf } from './preferences.js';

/**
 * Direct preference optimization: makes chosen completions likelier than rejected ones, compared with a reference model.
 *
 * `−log σ(β (log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻)))`, the mean over pairs.
 *
 * @param options `beta`: how strongly the model is held to the reference, default 0.1
 * @see Rafailov et al. 2023, https://arxiv.org/abs/2305.18290
 */
export function directPreference(
  network: LanguageModel,
  { beta = 0.1 }: { beta?: number | undefined } = {},
): Objective<PreferenceBatch> {
  const name = 'direct preference optimization';
  checkPositive(`${name}: beta`, beta);
  return {
    name,
    predicted: pairsOf,
    loss: (batch, ctx) =>
      tf.tidy(() => {
        const [chosen, rejected] = logRatios(name, network, batch, ctx);
        return tf.softplus(rejected.sub(chosen).mul(beta)).mean() as tf.Scalar;
      }),
  };
}
