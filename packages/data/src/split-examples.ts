import { checkWhole, DataError } from './errors.js';
import { permutation } from './random.js';
import type { Split } from './split.js';

/** The order of the split is unrelated to those of the epochs. */
const splitting = 2 ** 32 - 1;

/**
 * Sets a share of examples aside for validation, drawn by the seed: at least one, and at most `most`.
 *
 * Both parts are in the examples' order.
 *
 * @param options `validation` is the share, from 0 to below 1; `most` is the largest number of them, default all
 * @returns the examples' numbers
 * @throws DataError for a share out of range, or one that leaves nothing to train on
 */
export function splitExamples(
  count: number,
  {
    validation,
    seed = 0,
    most = count,
  }: { validation: number; seed?: number | undefined; most?: number | undefined },
): Split<number[]> {
  checkWhole('the number of examples', count, 1);
  if (!(validation >= 0 && validation < 1)) {
    throw new DataError(`validation is ${validation}, expected a share from 0 to below 1`);
  }
  const aside = validation === 0 ? 0 : Math.min(most, Math.max(1, Math.round(count * validation)));
  if (aside >= count) {
    throw new DataError(
      `a validation share of ${validation} leaves none of ${count} ${count === 1 ? 'example' : 'examples'} to train on`,
    );
  }
  const order = permutation(count, seed, splitting);
  return {
    train: [...order.subarray(aside)].sort((a, b) => a - b),
    validation: [...order.subarray(0, aside)].sort((a, b) => a - b),
  };
}
