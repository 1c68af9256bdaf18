import { InputError } from '@headwise/core';

/** The learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number;

/**
 * The same learning rate at every step.
 *
 * @throws InputError where it is negative
 */
export function constantRate(rate: number): Schedule {
  checkNumbers('constantRate', { rate });
  return () => rate;
}

/** A schedule whose rate rises linearly first. */
export interface WarmupOptions {
  /** The learning rate at the end of the warm-up. */
  peak: number;
  /** Steps in which the rate rises linearly; the first step has `peak / warmupSteps`, no step has 0. */
  warmupSteps: number;
}

/** A schedule that ends at a step. */
export interface WarmupDecayOptions extends WarmupOptions {
  /** The step at which the rate has come down to `floor`, and stays. */
  totalSteps: number;
  /** Default 0. */
  floor?: number | undefined;
}

export type WarmupCosineOptions = WarmupDecayOptions;

/** How a rate comes down. */
export type RateDecay = 'linear' | 'cosine' | '1-sqrt';

/** From 1 to 0 while `part` goes from 0 to 1. */
const decays: Readonly<Record<RateDecay, (part: number) => number>> = {
  linear: (part) => 1 - part,
  cosine: (part) => 0.5 * (1 + Math.cos(Math.PI * part)),
  '1-sqrt': (part) => 1 - Math.sqrt(part),
};

/**
 * The relative step sizes of Adafactor's paper: `min(10⁻², 1 / √t)` of update t, or `min(10⁻⁶ t, 1 / √t)` with a slow start.
 *
 * @see Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235
 */
export const adafactorRate =
  ({ slowStart = false }: { slowStart?: boolean | undefined } = {}): Schedule =>
  (step) =>
    Math.min(slowStart ? 1e-6 * (step + 1) : 1e-2, 1 / Math.sqrt(step + 1));

/** Linear warm-up to the peak rate, which stays. */
export function warmupConstant(options: WarmupOptions): Schedule {
  return warmedUp('warmupConstant', options, ({ peak }) => peak);
}

/**
 * Linear warm-up to the peak rate, then linear decay to the floor.
 *
 * `floor + (peak − floor) (total − step) / (total − warmup)`
 *
 * @throws InputError where the warm-up is longer than the whole, or a number is negative
 */
export function warmupLinear(options: WarmupDecayOptions): Schedule {
  return decaying('warmupLinear', options, options.warmupSteps, decays.linear);
}

/**
 * Linear warm-up to the peak rate, then cosine decay to the floor.
 *
 * `floor + ½ (peak − floor) (1 + cos(π (step − warmup) / (total − warmup)))`
 *
 * @throws InputError where the warm-up is longer than the whole, or a number is negative
 * @see Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983
 */
export function warmupCosine(options: WarmupDecayOptions): Schedule {
  return decaying('warmupCosine', options, options.warmupSteps, decays.cosine);
}

export interface WarmupInverseSquareRootOptions extends WarmupOptions {
  /** Steps after the warm-up in which the rate falls to `1/√2` of the peak; default `warmupSteps`, or 10,000 without any. */
  timescale?: number | undefined;
}

/**
 * Linear warm-up to the peak rate, then decay by the inverse square root, without an end.
 *
 * `peak √(timescale / (step − warmup + timescale))`
 *
 * @throws InputError where a number is negative, or the timescale 0
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 5.3
 */
export function warmupInverseSquareRoot(options: WarmupInverseSquareRootOptions): Schedule {
  const { timescale = options.warmupSteps || 10_000 } = options;
  if (!(timescale > 0)) {
    throw new InputError(
      `warmupInverseSquareRoot: timescale is ${timescale}; expected a number above 0`,
    );
  }
  return warmedUp(
    'warmupInverseSquareRoot',
    options,
    ({ peak, warmupSteps }, step) => peak * Math.sqrt(timescale / (step - warmupSteps + timescale)),
  );
}

export interface WarmupStableDecayOptions extends WarmupDecayOptions {
  /** The last steps, in which the rate comes down. */
  decaySteps: number;
  /** How it comes down; default `linear`. */
  decay?: RateDecay | undefined;
}

/**
 * Linear warm-up to the peak rate, which stays until the last steps, then decay to the floor.
 *
 * @throws InputError where warm-up and decay are longer than the whole, or a number is negative
 * @see Hu et al. 2024, https://arxiv.org/abs/2404.06395
 */
export function warmupStableDecay(options: WarmupStableDecayOptions): Schedule {
  const { warmupSteps, totalSteps, decaySteps, decay = 'linear' } = options;
  checkNumbers('warmupStableDecay', { decaySteps });
  if (warmupSteps + decaySteps > totalSteps) {
    throw new InputError(
      `warmupStableDecay: warmupSteps ${warmupSteps} and decaySteps ${decaySteps} are more than totalSteps ${totalSteps}`,
    );
  }
  return decaying('warmupStableDecay', options, totalSteps - decaySteps, decays[decay]);
}

/** Warm-up, the peak until `begin`, and decay from there to the floor. */
function decaying(
  name: string,
  options: WarmupDecayOptions,
  begin: number,
  decay: (part: number) => number,
): Schedule {
  const { warmupSteps, totalSteps, floor = 0 } = options;
  checkNumbers(name, { totalSteps, floor });
  if (!(warmupSteps <= totalSteps)) {
    throw new InputError(
      `${name}: warmupSteps ${warmupSteps} is more than totalSteps ${totalSteps}`,
    );
  }
  return warmedUp(name, options, ({ peak }, step) => {
    const part = Math.max(0, Math.min(1, (step - begin) / Math.max(1, totalSteps - begin)));
    return floor + (peak - floor) * decay(part);
  });
}

function warmedUp<O extends WarmupOptions>(
  name: string,
  options: O,
  after: (options: O, step: number) => number,
): Schedule {
  const { peak, warmupSteps } = options;
  checkNumbers(name, { peak, warmupSteps });
  return (step) => (step < warmupSteps ? (peak * (step + 1)) / warmupSteps : after(options, step));
}

function checkNumbers(name: string, numbers: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(numbers)) {
    if (!(value >= 0)) {
      throw new InputError(`${name}: ${key} is ${value}; expected a number of at least 0`);
    }
  }
}
