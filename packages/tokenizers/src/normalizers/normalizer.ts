import type { NormalizedText } from '../text/normalized-text.js';

/** Rewrites a text before it is cut, keeping track of where each unit comes from. */
export interface Normalizer {
  normalize(text: NormalizedText): void;
}
