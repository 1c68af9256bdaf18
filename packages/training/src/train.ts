import {
  type ForwardContext,
  HeadwiseError,
  InputError,
  type LanguageModel,
  Random,
  readTensor,
} from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { AdamW } from './adamw.js';
import { clipping } from './clip.js';
import { type LossOptions, languageModelLoss, predictedTokens, type TokenBatch } from './loss.js';
import type { Schedule } from './schedule.js';
import { checkTrainable } from './trainable.js';

export interface TrainOptions {
  network: LanguageModel;
  /** The parameters to train, by path. */
  params: Readonly<Record<string, tf.Variable>>;
  optimizer: AdamW;
  schedule: Schedule;
  /** The batch of each step, by its number: a resumed run sees what it would have seen. */
  batches: { at(step: number): TokenBatch };
  /** Steps in all. */
  steps: number;
  /** The first step to make; default 0. */
  start?: number | undefined;
  /** Gradients are scaled down to this norm; default 1. */
  maxNorm?: number | undefined;
  /** What is added to the likelihood; default nothing. */
  loss?: LossOptions | undefined;
  /**
   * Where dropout draws from, whose state is to be saved with the run; default a generator of its own for each step,
   * seeded by the step's number, so that a resumed run drops what it would have dropped.
   */
  random?: Random | undefined;
}

/** The loss and the statistics of one training step. */
export interface TrainStep {
  /** Counted from 0. */
  step: number;
  /** Nats a token, before the update. */
  loss: number;
  /** Of all gradients together, before clipping. */
  gradientNorm: number;
  learningRate: number;
  /** Tokens predicted. */
  tokens: number;
  /** Wall time. */
  ms: number;
}

/** The loss or the gradients are not finite; the parameters are those of the step before. */
export class DivergedError extends HeadwiseError {
  override readonly name = 'DivergedError';
}

/**
 * Trains a language model on the next token; yields after every step.
 *
 * Between two yields the parameters and the optimizer agree: that is when to save.
 *
 * @throws DivergedError before an update that would make the parameters NaN; DeviceLostError; InputError where a part of
 * the model is packed, or a parameter is frozen
 * @example
 * for await (const { step, loss } of train({ network, params, optimizer, schedule, batches, steps: 100 })) {
 *   console.log(step, loss);
 * }
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainStep> {
  const { network, params, optimizer, schedule, batches, steps, start = 0, maxNorm = 1 } = options;
  checkTrainable('train', params);
  for (let step = start; step < steps; step++) {
    const begun = performance.now();
    const batch = batches.at(step);
    const ctx: ForwardContext = { training: true, random: options.random ?? new Random(step) };
    const { loss, gradients } = lossAndGradients(params, () =>
      languageModelLoss(network, batch, ctx, options.loss),
    );
    const { norm, scale } = clipping(gradients, maxNorm);
    const both = tf.stack([loss, norm]);
    let made: TrainStep;
    try {
      const [lossValue, gradientNorm] = await readTensor(both);
      if (!Number.isFinite(lossValue) || !Number.isFinite(gradientNorm)) {
        throw new DivergedError(
          `training diverged at step ${step}: loss ${lossValue}, gradient norm ${gradientNorm}; lower the learning rate`,
        );
      }
      const learningRate = schedule(step);
      optimizer.update(gradients, learningRate, scale);
      made = {
        step,
        loss: lossValue!,
        gradientNorm: gradientNorm!,
        learningRate,
        tokens: predictedTokens(batch),
        ms: performance.now() - begun,
      };
    } finally {
      tf.dispose([loss, norm, scale, both, gradients]);
    }
    // No tensor is held here, so leaving the loop leaks nothing.
    yield made;
    await nextTask();
  }
}

/**
 * A loss and its gradient with respect to each parameter, by path.
 *
 * @throws InputError where the loss does not depend on a parameter, a part of the model is packed, or a parameter is frozen
 */
export function lossAndGradients(
  params: Readonly<Record<string, tf.Variable>>,
  loss: () => tf.Scalar,
): { loss: tf.Scalar; gradients: Record<string, tf.Tensor> } {
  checkTrainable('lossAndGradients', params);
  const { value, grads } = tf.variableGrads(loss, Object.values(params));
  const gradients: Record<string, tf.Tensor> = {};
  for (const [path, variable] of Object.entries(params)) {
    const gradient = grads[variable.name];
    if (!gradient) {
      tf.dispose([value, grads]);
      throw new InputError(`parameter '${path}' has no gradient: the loss does not depend on it`);
    }
    gradients[path] = gradient;
  }
  return { loss: value, gradients };
}
