import type { LanguageModel } from '@headwise/core';
import { stepPlanOf } from '@headwise/decoding';
import type { Continuation } from './continuation.js';
import { LayerContinuation } from './layer-continuation.js';
import type { Plan } from './options.js';
import { StepContinuation } from './step-continuation.js';

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
