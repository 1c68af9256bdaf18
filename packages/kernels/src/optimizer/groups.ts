import * as tf from '@tensorflow/tfjs';
import type { Piece } from '../dispatch/flat.js';
import type { OptimizerParameter } from './state.js';

type Group = Pick<OptimizerParameter, 'rate' | 'decay'>;

/** The numbers of the parameters so ordered that those of equal rate and decay follow each other. */
export function groupOrder(parameters: readonly Group[]): number[] {
  const groups = new Map<string, number[]>();
  parameters.forEach(({ rate, decay }, i) => {
    const key = `${rate} ${decay}`;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return [...groups.values()].flat();
}

/**
 * Where the groups of equal rate and decay end within a chunk.
 *
 * @param ordered the parameters in the order of `groupOrder`
 * @returns `[G, 3]`: the place after a group's last value, its rate, its decay; places up to 2²⁴ are exact
 */
export function groupEnds(pieces: readonly Piece[], ordered: readonly Group[]): tf.Tensor2D {
  const rows: [end: number, rate: number, decay: number][] = [];
  for (const { tensor, at, size } of pieces) {
    const { rate, decay } = ordered[tensor]!;
    const last = rows.at(-1);
    if (last && last[1] === rate && last[2] === decay) last[0] = at + size;
    else rows.push([at + size, rate, decay]);
  }
  return tf.tensor2d(rows);
}
