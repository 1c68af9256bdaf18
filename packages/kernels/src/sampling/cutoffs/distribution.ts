/** The distribution of a row of scores. */
export interface Distribution {
  /** The largest score. */
  largest: number;
  /** `Σ exp(score − largest)` */
  sum: number;
  /** `−Σ p log p`, in nats. */
  entropy: number;
}

/** @param scores `[V]`; −∞ for what cannot be drawn */
export function distributionOf(scores: ArrayLike<number>): Distribution {
  let largest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < scores.length; id++) largest = Math.max(largest, scores[id]!);
  let [sum, moment] = [0, 0];
  for (let id = 0; id < scores.length; id++) {
    const weight = Math.exp(scores[id]! - largest);
    sum += weight;
    if (weight > 0) moment += weight * (scores[id]! - largest);
  }
  return { largest, sum, entropy: Math.log(sum) - moment / sum };
}

/** Relative to the largest score first, as their difference is exact where both are huge. */
export const probabilityOf = (score: number, { largest, sum }: Distribution): number =>
  Math.exp(score - largest) / sum;
