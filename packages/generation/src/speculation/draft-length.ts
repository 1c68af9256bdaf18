/** The most tokens of a draft: with the token before them, as many rows as products of few rows take at once. */
export const longestDraft = 7;

/** Tokens without a draft at most, after drafts that were wrong from their first token on. */
const longestPause = 32;

/**
 * How many tokens are drafted: 1, 3 or 7, more after drafts that were right, fewer after others.
 *
 * A draft that is wrong from its first token on costs a pass of more rows than one; after some of these in a row there is none
 * for 2, 4, … 32 tokens. It depends on tokens alone, never on time.
 */
export class DraftLength {
  #length = 3;
  #pause = 1;
  #rest = 0;

  /** Tokens that come without a draft before the next one. */
  get rest(): number {
    return this.#rest;
  }

  /** @returns the most tokens of the next draft; 0 for none */
  get next(): number {
    return this.#rest > 0 ? 0 : this.#length;
  }

  /** Counts tokens that came without a draft. */
  skip(tokens: number): void {
    this.#rest = Math.max(0, this.#rest - tokens);
  }

  /** @param right how many of the drafted tokens were drawn */
  report(drafted: number, right: number): void {
    if (right > 0) {
      this.#pause = 1;
      if (right === drafted) this.#length = Math.min(longestDraft, 2 * this.#length + 1);
      else if (2 * right < drafted) this.#length = Math.max(1, this.#length >> 1);
      return;
    }
    this.#length = 1;
    this.#pause = Math.min(longestPause, 2 * this.#pause);
    this.#rest = this.#pause;
  }
}
