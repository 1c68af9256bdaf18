/** The scores of stop ids rise exponentially: `s + |s| (factor^(made − start) − 1)` after `start` new tokens. */
export interface LengthDecay {
  /** A number of new tokens. */
  readonly start: number;
  /** Above 1 for shorter sequences. */
  readonly factor: number;
}

/**
 * The part of its size that a stop id's score grows by.
 *
 * @param made the number of new tokens
 */
export function decayAfter({ start, factor }: LengthDecay, made: number): number {
  return made > start ? factor ** (made - start) - 1 : 0;
}
