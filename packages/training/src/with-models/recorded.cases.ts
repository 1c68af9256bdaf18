import { type LanguageModel, type Network, Random } from '@headwise/core';
import { createModel } from '@headwise/models';
import { withOwnPool } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import {
  AdamW,
  causalLanguageModel,
  constantRate,
  type Ema,
  type ExampleBatch,
  ignoredTarget,
  type Objective,
  type TokenBatch,
  type TrainOptions,
  type TrainStep,
  train,
} from '../index.js';

export const vocabulary = 19;
export const sizes = { vocab_size: vocabulary, hidden_size: 12, num_hidden_layers: 2 };
export const llama = {
  ...{ model_type: 'llama', ...sizes, num_attention_heads: 3, intermediate_size: 20 },
  max_position_embeddings: 32,
};

/** Ids of a seed; of every third row the last targets are not predicted. */
export function tokens(seed: number, rows = 2, length = 7): TokenBatch {
  const random = new Random(seed);
  const ids = () =>
    Int32Array.from({ length: rows * length }, () => Math.floor(random.next() * vocabulary));
  const targets = ids().fill(ignoredTarget, rows * length - (seed % 3));
  return { inputs: ids(), targets, shape: [rows, length], examples: [10 * seed] };
}

export interface Trained {
  steps: TrainStep[];
  weights: Record<string, Float32Array>;
  /** How often the loss was computed by its operations. */
  losses: number;
}

export type Settings<N extends Network, B extends ExampleBatch> = Partial<
  Pick<TrainOptions<B>, 'accumulate' | 'checkpoint' | 'precision' | 'steps' | 'record'>
> & {
  batches: (number: number) => B;
  objective: (network: N) => Objective<B>;
  /** The options that belong to one training. */
  own?: (params: Record<string, tf.Variable>) => Partial<TrainOptions<B>>;
  between?: (run: { objective: Objective<B>; ema?: Ema | undefined }, step: TrainStep) => unknown;
};

/**
 * Trains a new model, and checks that all that training holds is free behind it.
 *
 * A pool that earlier tests left full may free a buffer that a recording has lent, whose step is then recorded anew: the losses are counted in
 * a pool of their own.
 */
export function trained<N extends Network, B extends ExampleBatch>(
  configuration: unknown,
  settings: Settings<N, B>,
): Promise<Trained> {
  return withOwnPool(() => trainedHere(configuration, settings));
}

async function trainedHere<N extends Network, B extends ExampleBatch>(
  configuration: unknown,
  { batches, objective: of, own = () => ({}), between, ...settings }: Settings<N, B>,
): Promise<Trained> {
  const { network, params } = createModel(configuration, { seed: 1 });
  // Tables of positions are made by the first pass, and stay.
  const objective = counted(of(network as unknown as N));
  objective.loss(batches(0)).dispose();
  objective.losses = 0;
  const before = tf.memory().numTensors;
  const named = params.named();
  const given = own(named);
  const options: TrainOptions<B> = {
    ...{ objective, params: named, schedule: constantRate(0.02), steps: 5 },
    ...{ batches: { at: batches }, ...settings, ...given },
    optimizer: given.optimizer ?? new AdamW(named),
  };
  const steps: TrainStep[] = [];
  for await (const step of train(options)) {
    steps.push(step);
    await between?.({ objective, ema: options.ema }, step);
  }
  options.optimizer.dispose();
  options.ema?.dispose();
  expect(tf.memory().numTensors).toBe(before);
  const weights: Record<string, Float32Array> = {};
  for (const [path, variable] of Object.entries(named)) {
    weights[path] = (await variable.data()) as Float32Array;
  }
  params.dispose();
  return { steps, weights, losses: objective.losses };
}

/**
 * Counts how often the loss is computed by its operations, on the backend in use: not the pass that computes nothing and finds what to
 * compile. The objective stays the one that it is.
 */
function counted<B extends ExampleBatch>(
  objective: Objective<B>,
): Objective<B> & { losses: number } {
  const watched = { ...objective, losses: 0 };
  const { tensorLoss } = objective;
  const backend = tf.backend();
  if (tensorLoss) {
    const { loss } = tensorLoss;
    Object.assign(tensorLoss, {
      loss: (...given: Parameters<typeof loss>) => {
        if (tf.backend() === backend) watched.losses++;
        return loss(...given);
      },
    });
  }
  return watched;
}

const told = ({ steps }: Trained) =>
  steps.map(({ loss, gradientNorm, predicted, lossScale, skipped }) => {
    return { loss, gradientNorm, predicted, lossScale, skipped };
  });

/** Trains with and without recording; the numbers are the same to the bit. */
export async function expectSame<N extends Network, B extends ExampleBatch>(
  configuration: unknown,
  settings: Settings<N, B>,
): Promise<Trained> {
  const eager = await trained(configuration, { ...settings, record: false });
  const recorded = await trained(configuration, settings);
  expect(told(recorded)).toEqual(told(eager));
  expect(recorded.weights).toEqual(eager.weights);
  return recorded;
}

export const causal = {
  objective: (network: LanguageModel) => causalLanguageModel(network),
  batches: (number: number) => tokens(number),
};
export const reasons = ({ steps }: Trained) => new Set(steps.map(({ unrecorded }) => unrecorded));
