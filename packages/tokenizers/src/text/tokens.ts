/** Tokens as a model finds them: growing lists, one entry per token. */
export interface Tokens {
  readonly ids: number[];
  /** Where each token begins and ends: `[start, end, start, end, …]`. */
  readonly bounds: number[];
  /** The piece of each token. */
  readonly words: number[];
  /** Texts of tokens whose text is not that of their id, such as an unknown word's. */
  readonly surfaces: Map<number, string>;
}

export const noTokens = (): Tokens => ({ ids: [], bounds: [], words: [], surfaces: new Map() });
