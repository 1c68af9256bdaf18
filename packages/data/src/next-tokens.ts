import type { Batch } from './batches.js';
import { padRows } from './collate.js';

/** A sequence of tokens of which some are learned: an answer after its prompt, or all. */
export interface LearnedTokens {
  readonly ids: ArrayLike<number>;
  /** 1 where a token is to be predicted from those before it; default everywhere. */
  readonly learned?: ArrayLike<number> | undefined;
}

/**
 * Makes a batch of sequences for a causal language model: each token's target is the token after it, −100 where that is not
 * learned, and at the padding on the right.
 *
 * @example
 * const batches = collatedBatches(examples, nextTokens, { batchSize: 8 });
 */
export function nextTokens(examples: readonly LearnedTokens[]): Omit<Batch, 'examples'> {
  const { ids, shape } = padRows(examples.map(({ ids }) => Array.from(ids).slice(0, -1)));
  const targets = new Int32Array(ids.length).fill(-100);
  for (const [row, { ids, learned }] of examples.entries()) {
    for (let i = 1; i < ids.length; i++) {
      if (learned?.[i] ?? 1) targets[row * shape[1] + i - 1] = ids[i]!;
    }
  }
  return { inputs: ids, targets, shape };
}
