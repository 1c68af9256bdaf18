import { InputError } from '@headwise/core';
import type { AttentionMap } from './attention-maps.js';

/** Scores of a head, means over the queries of its attention map. */
export interface HeadScores {
  /** The layer's path: `blocks.0.attn`. */
  readonly layer: string;
  readonly head: number;
  /** Of the attention weights, in nats: 0 where one key gets all. */
  readonly entropy: number;
  /** Between a query and the keys it attends to, in tokens. */
  readonly distance: number;
  /** In [0, 1]: the weight on the token before. */
  readonly previousToken: number;
  /** In [0, 1]: the weight on tokens that followed the same token before; 0 where none repeats. */
  readonly induction: number;
}

/**
 * Computes the scores of every head of self-attention maps.
 *
 * @param ids the tokens of the sequence, one a key
 * @throws InputError where the number of ids is not that of the keys
 * @see Clark et al. 2019, https://arxiv.org/abs/1906.04341 (entropy); Vig and Belinkov 2019,
 * https://arxiv.org/abs/1906.04284 (distance); Voita et al. 2019, https://arxiv.org/abs/1905.09418
 * (previous token); Olsson et al. 2022, https://arxiv.org/abs/2209.11895 (induction)
 */
export function headScores(maps: readonly AttentionMap[], ids: ArrayLike<number>): HeadScores[] {
  return maps.flatMap((map) => {
    checkIds(map, ids);
    return map.heads.map((head, h) => ({
      layer: map.layer,
      head,
      entropy: meanOverRows(map, h, entropyOf),
      distance: meanOverRows(map, h, distanceOf),
      previousToken: meanOverRows(map, h, (weights, row) => weights[row - 1]),
      induction: meanOverRows(map, h, (weights, row) => inductionOf(weights, row, ids)),
    }));
  });
}

/** `−Σ p ln p`, in nats. */
function entropyOf(weights: Float32Array): number {
  return -weights.reduce((sum, p) => (p > 0 ? sum + p * Math.log(p) : sum), 0);
}

/** `Σ p_j |i − j|`, in tokens. */
function distanceOf(weights: Float32Array, row: number): number {
  return weights.reduce((sum, p, key) => sum + p * Math.abs(row - key), 0);
}

/** The weight on what followed earlier occurrences of the row's token; undefined where there are none. */
function inductionOf(
  weights: Float32Array,
  row: number,
  ids: ArrayLike<number>,
): number | undefined {
  let sum: number | undefined;
  for (let key = 1; key <= row; key++) {
    if (ids[key - 1] === ids[row]) sum = (sum ?? 0) + weights[key]!;
  }
  return sum;
}

/** The mean of a value over the queries that have one; 0 if none has. */
function meanOverRows(
  { rows, keys, values }: AttentionMap,
  head: number,
  read: (weights: Float32Array, row: number) => number | undefined,
): number {
  let [sum, count] = [0, 0];
  for (const [i, row] of rows.entries()) {
    const start = (head * rows.length + i) * keys;
    const value = read(values.subarray(start, start + keys), row);
    if (value === undefined) continue;
    sum += value;
    count++;
  }
  return count === 0 ? 0 : sum / count;
}

function checkIds({ layer, keys }: AttentionMap, ids: ArrayLike<number>): void {
  if (ids.length === keys) return;
  throw new InputError(`headScores: '${layer}' has ${keys} keys; got ${ids.length} ids`);
}
