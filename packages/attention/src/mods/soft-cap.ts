import { InputError } from '@headwise/core';
import { type ScoreMod, scoreMod } from '@headwise/kernels';

/**
 * Keeps scores within ±c: `c · tanh(s / c)`.
 *
 * @throws InputError unless `c` is positive
 * @see Gemma Team 2024, https://arxiv.org/abs/2408.00118
 */
export function softCapMod(c: number): ScoreMod {
  if (!(c > 0)) throw new InputError(`softCapMod: the cap is ${c}; expected a positive number`);
  return scoreMod((score) => score.div(c).tanh().mul(c));
}
