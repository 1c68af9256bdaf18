import { InputError } from '@headwise/core';

/**
 * Contextual calibration: probabilities of options, divided by those that a model gives where there is nothing to judge.
 *
 * `q = p / p̄ / Σ (p / p̄)`, p̄ the mean of the probabilities for inputs without content. The paper's `W p` with `W = diag(p̄)⁻¹`, scaled to the sum 1,
 * which leaves the greatest one.
 *
 * @param probabilities of each option
 * @param contentFree the same for each input without content, at least one
 * @throws InputError for no input without content, and for other numbers of options
 * @see Zhao et al. 2021, https://arxiv.org/abs/2102.09690
 * @example
 * calibrated([0.6, 0.4], [[0.8, 0.2]]); // [0.27…, 0.72…]
 */
export function calibrated(
  probabilities: readonly number[],
  contentFree: readonly (readonly number[])[],
): number[] {
  if (contentFree.length === 0) {
    throw new InputError('there is no input without content; expected at least one');
  }
  const other = contentFree.find(({ length }) => length !== probabilities.length);
  if (other) {
    throw new InputError(
      `an input without content has ${other.length} options; expected ${probabilities.length}`,
    );
  }
  const ratios = probabilities.map((p, i) => {
    const mean = contentFree.reduce((sum, row) => sum + row[i]!, 0) / contentFree.length;
    // Where the exponential underflows, nothing can be said of the option.
    return p / Math.max(mean, Number.MIN_VALUE);
  });
  const total = ratios.reduce((sum, ratio) => sum + ratio, 0);
  return ratios.map((ratio) => ratio / total);
}
