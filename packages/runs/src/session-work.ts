import type { LanguageModel, Network, Precision } from '@headwise/core';
import type { Lora, Model } from '@headwise/models';
import {
  Ema,
  type ExampleBatch,
  freeze,
  type KeptBatches,
  type Objective,
  type Optimizer,
  type PathChoice,
  type Schedule,
  type TokenBatch,
  type Trained,
} from '@headwise/training';
import type * as tf from '@tensorflow/tfjs';
import type { Sample, ValidationEntry } from './history.js';

/** How many steps a session makes, and what is done between them. */
export interface Pace {
  /** Of dropout; parameters and batches have their own. */
  seed: number;
  steps: number;
  /** Batches of one step; default 1. */
  accumulate?: number | undefined;
  /** Computes each block again in the backward pass; default false. */
  checkpointActivations?: boolean | undefined;
  /** What linear maps compute in; default `float32`. Mixed precision has a loss scale, which is saved with the run. */
  precision?: Precision | undefined;
  /** Gradients are scaled down to this norm. */
  maxNorm: number;
  checkpointEvery: number;
  /** Steps between two validations; absent: before the first step and after the last. */
  validateEvery?: number | undefined;
  /** Steps between two samples; absent: none are kept. */
  sampleEvery?: number | undefined;
}

/** A model, the steps that train it, and how it is measured. */
export interface SessionWork<
  N extends Network = LanguageModel,
  B extends ExampleBatch = TokenBatch,
> {
  model: Model<N>;
  /** What is trained in place of the model's parameters, which stay as they are then. */
  adapter?: Lora | undefined;
  /** Which of the model's parameters are frozen; default none. */
  freeze?: PathChoice | undefined;
  optimizer: Optimizer;
  /** The average of what is trained, which is measured, sampled and saved as the result where there is one. */
  ema?: Ema | undefined;
  objective: Objective<B>;
  schedule: Schedule;
  /** By their number; those that depend on more than it say what they keep. */
  batches: { at(number: number): B | Promise<B> } & Partial<KeptBatches>;
  pace: Pace;
  /**
   * Measures the validation part; absent where there is none.
   *
   * @throws DivergedError where the loss is not finite
   */
  measure?:
    | ((options: { signal?: AbortSignal | undefined }) => Promise<ValidationEntry['validation']>)
    | undefined;
  /** What the model writes now: the same each time that it is asked. */
  samples?: (() => AsyncIterable<Sample>) | undefined;
}

/** What a checkpoint saves of a work. */
export function trainedOf(
  work: Pick<SessionWork<Network>, 'model' | 'adapter' | 'freeze' | 'optimizer' | 'ema'> & {
    batches: Partial<KeptBatches>;
  },
): Trained {
  const { optimizer, ema, batches } = work;
  return { params: trainedParams(work), optimizer, ema, batches };
}

/** The parameters that are trained, by path. */
export function trainedParams(
  work: Pick<SessionWork<Network>, 'model' | 'adapter' | 'freeze'>,
): Record<string, tf.Variable> {
  const params = (work.adapter ?? work.model).params.named();
  return work.freeze && !work.adapter ? freeze(params, work.freeze) : params;
}

/** The average of what is trained; undefined without a decay. */
export function averageOf(
  params: Readonly<Record<string, tf.Variable>>,
  decay: number | undefined,
): Ema | undefined {
  return decay === undefined ? undefined : new Ema(params, { decay });
}

/** Frees the model, the adapter, the optimizer and the average. */
export function freeWork({
  model,
  adapter,
  optimizer,
  ema,
}: Pick<SessionWork<Network>, 'model' | 'adapter' | 'optimizer' | 'ema'>): void {
  ema?.dispose();
  optimizer.dispose();
  adapter?.params.dispose();
  model.params.dispose();
}
