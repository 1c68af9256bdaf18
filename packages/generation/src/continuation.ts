import type { LanguageModel } from '@headwise/core';
import { stepPlanOf } from '@headwise/decoding';
import { LayerContinuation } from './layer-continuation.js';
import type { Plan } from './options.js';
import { StepContinuation } from './step-continuation.js';

/** Draws the tokens after a sequence, and keeps the keys and values of those before. */
export interface Continuation {
  /**
   * Draws at least one token.
   *
   * @param sequence prompt and new tokens: what it was at the last call, and what came after
   * @param made the number of new tokens in it
   */
  next(sequence: readonly number[], made: number): Promise<readonly number[]>;
  /** Frees the keys and values. */
  dispose(): void;
}

/** The fused step of a model where it has one, else its layers. */
export function continuationOf(
  network: LanguageModel,
  plan: Plan,
  promptLength: number,
): Continuation {
  const step = stepPlanOf(network);
  return step
    ? new StepContinuation(network, step, plan, promptLength)
    : new LayerContinuation(network, plan);
}
