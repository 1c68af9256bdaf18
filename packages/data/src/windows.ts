import { checkWhole, DataError } from './errors.js';
import type { TokenIds } from './ids.js';

/** Windows of equal length over a corpus, with next-token targets. */
export interface Windows {
  readonly ids: TokenIds;
  /** Tokens that a model sees in one window, `T`. */
  readonly length: number;
  /** Tokens from the start of one window to the start of the next. */
  readonly stride: number;
  /** How many windows fit; a rest too short for one is left out. */
  readonly count: number;
}

/**
 * The windows of a corpus: window `w` has inputs `ids[w·stride … w·stride + length − 1]` and the same shifted by one
 * as targets.
 * @param options `stride` defaults to `length`, so that no token is predicted twice
 * @throws DataError when the corpus is shorter than one window and the token after it
 */
export function tokenWindows(
  ids: TokenIds,
  { length, stride = length }: { length: number; stride?: number | undefined },
): Windows {
  checkWhole('length', length, 1);
  checkWhole('stride', stride, 1);
  if (ids.length < length + 1) {
    throw new DataError(
      `the corpus has ${ids.length} tokens, expected at least ${length + 1}: a window of ${length} and the token after it`,
    );
  }
  return { ids, length, stride, count: Math.floor((ids.length - 1 - length) / stride) + 1 };
}
