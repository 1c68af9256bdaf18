import { keyOf } from '@headwise/core/internal';
import { thresholdOf } from '../../dropout/reference.js';
import { philoxWgsl } from '../../philox/philox.js';
import type { WeightDropout } from '../dropout.js';
import { each } from '../text.js';
import type { PairLayout } from './pair-layout.js';

/** The fields of `params` that dropout of weights reads. */
export const dropoutParams: Record<'key0' | 'key1' | 'threshold' | 'kept', 'u32' | 'f32'> = {
  key0: 'u32',
  key1: 'u32',
  threshold: 'u32',
  kept: 'f32',
};

export function dropoutValues({ rate, seed }: WeightDropout): Record<string, number> {
  const [key0, key1] = keyOf(seed);
  return { key0, key1, threshold: thresholdOf(rate), kept: 1 / (1 - rate) };
}

/** WGSL of `drawn(key, query, head) -> vec4u`: the random words of the four keys `4 ⌊key / 4⌋ …`. */
export const drawing: string = /* wgsl */ `
  ${philoxWgsl}
  fn drawn(key: u32, query: u32, head: u32) -> vec4u {
    return philox(vec4u(key / 4u, query, head, 0u), vec2u(params.key0, params.key1));
  }
`;

/** WGSL that declares `keep{i}` (`Rows`), 0 or `1 / (1 − rate)`; needs `head`, `lane_row` and `tile_start`. */
export function keepFactors(layout: PairLayout, i: number): string {
  const { laneAxis, rows, adjacent, broadcast, count } = layout;
  const row = (r: number) => (rows === 1 ? 'lane_row' : `lane_row[${r}]`);
  const tileRow = `tile_start + ${broadcast.index(i)}`;
  const keep = (words: string) =>
    `let keep${i} = select(Rows(), Rows(params.kept), ${words} >= RowIndices(params.threshold));`;
  const together = (text: (r: number) => string) => `RowIndices(${each(rows, text, ', ')})`;
  if (laneAxis === 'q' && count % 4 !== 0) {
    // One row at a time, which may be any of the counter's four keys.
    return keep(together((r) => `drawn(${tileRow}, ${row(r)}, head)[(${tileRow}) % 4u]`));
  }
  if (laneAxis === 'q') {
    const drawn = each(rows, (r) => `let words${i}_${r} = drawn(${tileRow}, ${row(r)}, head);`);
    const words = together((r) => `words${i - (i % 4)}_${r}[${i % 4}]`);
    return `${i % 4 === 0 ? drawn : ''} ${keep(words)}`;
  }
  if (adjacent) return keep(`drawn(lane_row[0], ${tileRow}, head)`);
  return keep(together((r) => `drawn(${row(r)}, ${tileRow}, head)[${row(r)} % 4u]`));
}
