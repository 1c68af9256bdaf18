import { median } from '../measure.js';

/** How two series of times that were taken in turns compare. */
export interface Ratio {
  /** The median over the rounds of `mine / theirs`. */
  ratio: number;
  /** The quartiles of that. */
  quartiles: [low: number, high: number];
}

/** The ratios of the times of each round: a machine that drifts slows both sides of a round alike. */
export function ratioOf(mine: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = mine.map((ms, i) => ms / theirs[i]!).sort((a, b) => a - b);
  const half = Math.ceil(ratios.length / 2);
  return {
    ratio: median(ratios),
    quartiles: [median(ratios.slice(0, half)), median(ratios.slice(-half))],
  };
}
