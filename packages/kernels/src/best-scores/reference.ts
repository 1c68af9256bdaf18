import { checkScores } from '../sampling/scores.js';

/** The best scores of a row. */
export interface BestScores {
  /** Best first; of equal scores the first in the vocabulary. Scores of −∞ are left out. */
  readonly ids: readonly number[];
  /** `score − log Σ exp(scores)` of each. */
  readonly logProbabilities: readonly number[];
}

/** The best scores of one row. @param scores `[V]` */
export function bestOfRow(scores: ArrayLike<number>, count: number, row: number): BestScores {
  const values = Float64Array.from(scores);
  checkScores('bestScores', values, row);
  const largest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = values.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  const logSum = largest + Math.log(sum);
  const ids: number[] = [];
  // Insertion into the best so far: few of many scores are.
  for (const [id, value] of values.entries()) {
    if (value === Number.NEGATIVE_INFINITY) continue;
    if (ids.length === count && !(value > values[ids.at(-1)!]!)) continue;
    let place = ids.length;
    while (place > 0 && values[ids[place - 1]!]! < value) place--;
    ids.splice(place, 0, id);
    if (ids.length > count) ids.pop();
  }
  return { ids, logProbabilities: ids.map((id) => values[id]! - logSum) };
}
