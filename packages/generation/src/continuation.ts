/** Draws the tokens after a sequence, and keeps the keys and values of those before. */
export interface Continuation {
  /**
   * Draws at least one token.
   *
   * @param sequence prompt and new tokens: what it was at the last call, and what came after
   * @param made the number of new tokens in it
   */
  next(sequence: readonly number[], made: number): Promise<readonly number[]>;
  /** Frees the keys and values. */
  dispose(): void;
}
