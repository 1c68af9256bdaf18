/** A language that what is generated must belong to, such as the texts that match a regular expression. */
export interface Constraint {
  /** The state of a sequence without new tokens; each sequence has its own. */
  start(): ConstraintState;
}

/** What may follow the new tokens of one sequence. */
export interface ConstraintState {
  /**
   * A number of tokens that complete the output, for what is known the least; 0 where it is complete and may end,
   * Infinity where nothing completes it.
   */
  readonly rest: number;
  /** Whether the output is complete and nothing may follow. */
  readonly done: boolean;
  /**
   * The ids that may come next: bit `id mod 32` of word `⌊id / 32⌋`. End tokens are not part of it: they may come where the
   * output is complete. The mask stays the state's, and is not changed.
   *
   * @param left tokens that may still come, the next one included: after each id in the mask `rest` is below it
   * @returns as many words as there are; ids beyond them may not come. Undefined where any id may
   */
  mask(left: number): Uint32Array | undefined;
  /** Goes on to the state after an id that `mask` allowed. */
  accept(id: number): void;
  /** The same state, which goes on by itself. */
  clone(): ConstraintState;
}
