import type { LanguageModel } from '@headwise/core';

/** A way to propose the next tokens of a sequence, so that the model checks several in one pass. */
export interface Speculation {
  /**
   * Begins with a sequence; each has its own drafter.
   *
   * @param network the model that checks
   * @throws InputError where it cannot draft for this model
   */
  start(network: LanguageModel): Drafter;
}

/** Proposes tokens of one sequence. */
export interface Drafter {
  /**
   * Tokens that are likely to follow. Wrong ones cost time and change nothing.
   *
   * @param sequence prompt and new tokens; it may go on otherwise than was proposed before
   * @param most the most tokens that are checked, at least 1
   * @returns ids in the model's vocabulary; none where nothing is likely
   */
  draft(sequence: readonly number[], most: number): readonly number[] | Promise<readonly number[]>;
  /** Frees what it keeps. */
  dispose(): void;
}
