import { thresholdOf } from '../../dropout/reference.js';
import { keyOf, philoxWgsl } from '../../philox/philox.js';
import type { WeightDropout } from '../dropout.js';
import { each } from '../text.js';
import type { Layout } from './pairs.js';

/** The fields of `params` that draw which weights are dropped. */
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

/** WGSL of `drawn(key, query, head)`: random words for the four keys of which this is one. */
export const drawing: string = /* wgsl */ `
  ${philoxWgsl}
  fn drawn(key: u32, query: u32, head: u32) -> vec4u {
    return philox(vec4u(key / 4u, query, head, 0u), vec2u(params.key0, params.key1));
  }
`;

/** WGSL that declares `kept{i}`: what the weights of other row `i` are multiplied by. */
export function keptWords(layout: Layout, i: number): string {
  const { own, rows, adjacent, others, count } = layout;
  const row = (r: number) => (rows === 1 ? 'own_row' : `own_row[${r}]`);
  const met = `first_other + ${others.index(i)}`;
  const kept = (words: string) =>
    `let kept${i} = select(Rows(), Rows(params.kept), ${words} >= RowIndices(params.threshold));`;
  const together = (text: (r: number) => string) => `RowIndices(${each(rows, text, ', ')})`;
  if (own === 'q' && count % 4 !== 0) {
    // Any of the four keys of a counter.
    return kept(together((r) => `drawn(${met}, ${row(r)}, head)[(${met}) % 4u]`));
  }
  if (own === 'q') {
    const drawn = each(rows, (r) => `let words${i}_${r} = drawn(${met}, ${row(r)}, head);`);
    const words = together((r) => `words${i - (i % 4)}_${r}[${i % 4}]`);
    return `${i % 4 === 0 ? drawn : ''} ${kept(words)}`;
  }
  if (adjacent) return kept(`drawn(own_row[0], ${met}, head)`);
  return kept(together((r) => `drawn(${row(r)}, ${met}, head)[${row(r)} % 4u]`));
}
