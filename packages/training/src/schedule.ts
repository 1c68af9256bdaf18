import { InputError } from '@headwise/core';

/** The learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number;

/** The same learning rate at every step. */
export const constantRate =
  (rate: number): Schedule =>
  () =>
    rate;

export interface WarmupCosineOptions {
  /** The learning rate at the end of the warm-up. */
  peak: number;
  /** Steps in which the rate rises linearly; the first step has `peak / warmupSteps`. */
  warmupSteps: number;
  /** The step at which the rate has come down to `floor`, and stays. */
  totalSteps: number;
  /** Default 0. */
  floor?: number | undefined;
}

/**
 * Linear warm-up to the peak rate, then cosine decay to the floor.
 *
 * `floor + ½ (peak − floor) (1 + cos(π (step − warmup) / (total − warmup)))`
 *
 * @throws InputError where the warm-up is longer than the whole
 * @see Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983
 */
export function warmupCosine(options: WarmupCosineOptions): Schedule {
  const { peak, warmupSteps, totalSteps, floor = 0 } = options;
  if (!(warmupSteps <= totalSteps)) {
    throw new InputError(
      `warmupCosine: warmupSteps ${warmupSteps} is more than totalSteps ${totalSteps}`,
    );
  }
  return (step) => {
    if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
    const part = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    return floor + 0.5 * (peak - floor) * (1 + Math.cos(Math.PI * part));
  };
}
