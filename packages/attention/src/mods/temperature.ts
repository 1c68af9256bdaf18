import { checkShape, InputError } from '@headwise/core';
import { type ScoreMod, scoreMod, scoreTable } from '@headwise/kernels';
import type * as tf from '@tensorflow/tfjs';

/**
 * Divides scores by a temperature: `s / t`, or `s / t_h` with one a head, which may be learned.
 *
 * @param t a positive number, or `[H]`; gradients flow to it
 * @throws InputError for a number that is not positive, ShapeError for a tensor of another rank
 * @see Hinton, Vinyals and Dean 2015, https://arxiv.org/abs/1503.02531
 */
export function temperatureMod(t: number | tf.Tensor): ScoreMod {
  if (typeof t === 'number') {
    if (!(t > 0)) throw new InputError(`temperatureMod: t is ${t}; expected a positive number`);
    return scoreMod((score) => score.div(t));
  }
  checkShape('temperatureMod: t', t.shape, ['H']);
  return scoreMod((score, _b, h) => score.div(scoreTable(t).at(h)));
}
