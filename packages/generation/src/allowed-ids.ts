import { InputError } from '@headwise/core';
import { maskWords } from '@headwise/kernels/internal';
import type { Constraint, ConstraintState } from './constraint.js';

/** Sizes and options of a plan that say what a constraint may do. */
export interface ConstraintLimits {
  vocabSize: number;
  /** Tokens of what new tokens follow. */
  startLength: number;
  stopIds: readonly number[];
  /** The most and the least new tokens. */
  most: number;
  least: number;
}

/** The ids that a constraint allows after a sequence, end tokens included. */
export class AllowedIds {
  readonly #constraint: Constraint;
  readonly #limits: ConstraintLimits;
  readonly #mask: Int32Array;
  #state: ConstraintState;
  /** The new tokens that the state is after. */
  readonly #seen: number[] = [];

  /** @throws InputError where no output of the constraint has at most `most` tokens */
  constructor(constraint: Constraint, limits: ConstraintLimits) {
    this.#constraint = constraint;
    this.#limits = limits;
    this.#mask = new Int32Array(maskWords(limits.vocabSize));
    this.#state = constraint.start();
    const { rest } = this.#state;
    if (rest <= limits.most) return;
    throw new InputError(
      Number.isFinite(rest)
        ? `constraint: its shortest output has ${rest} tokens; maxNewTokens is ${limits.most}`
        : 'constraint: no sequence of tokens of the vocabulary meets it',
    );
  }

  /**
   * Whether the output of a sequence is complete and nothing may follow.
   *
   * @throws InputError where it has fewer tokens than the least number
   */
  isDone(sequence: readonly number[], made: number): boolean {
    if (!this.#after(sequence).done) return false;
    const { least } = this.#limits;
    if (made >= least) return true;
    throw new InputError(
      `minNewTokens is ${least}, but the constraint's output is complete after ${made} tokens`,
    );
  }

  /**
   * The ids that may come next.
   *
   * @param sequence prompt and new tokens @param most the most new tokens of all
   * @param banned ids that other options rule out
   * @returns bits, 32 a word, overwritten by the next call
   * @throws InputError where there is none
   */
  after(
    sequence: readonly number[],
    most: number,
    banned: ReadonlySet<number> = new Set(),
  ): Int32Array {
    const { vocabSize, startLength, stopIds } = this.#limits;
    const state = this.#after(sequence);
    const mask = this.#mask;
    const given = state.mask(Math.max(1, most - (sequence.length - startLength)));
    mask.fill(given ? 0 : -1);
    if (given) mask.set(given.subarray(0, mask.length));
    if (vocabSize % 32 > 0) mask[mask.length - 1]! &= 2 ** (vocabSize % 32) - 1;
    for (const id of stopIds) {
      if (id >= vocabSize) continue;
      if (state.rest === 0) mask[id >> 5]! |= 1 << (id & 31);
      else mask[id >> 5]! &= ~(1 << (id & 31));
    }
    if (hasOther(mask, banned)) return mask;
    throw new InputError(
      `constraint: none of the ${vocabSize} tokens may come after ${sequence.length - startLength} new ones; expected options that leave one of those that the constraint allows, or an end token where it is complete`,
    );
  }

  /** The state after a sequence: what it was at the last call and what came after, or begun anew. */
  #after(sequence: readonly number[]): ConstraintState {
    const { startLength } = this.#limits;
    const seen = this.#seen;
    const made = sequence.length - startLength;
    if (made < seen.length || seen.some((id, i) => sequence[startLength + i] !== id)) {
      this.#state = this.#constraint.start();
      seen.length = 0;
    }
    for (let i = seen.length; i < made; i++) {
      const id = sequence[startLength + i]!;
      this.#state.accept(id);
      seen.push(id);
    }
    return this.#state;
  }
}

const has = (mask: Int32Array, id: number): boolean => ((mask[id >> 5]! >>> (id & 31)) & 1) === 1;

/** Whether a mask allows an id that is not among some. */
function hasOther(mask: Int32Array, banned: ReadonlySet<number>): boolean {
  for (let word = 0; word < mask.length; word++) {
    if (mask[word] === 0) continue;
    for (let bit = 0; bit < 32; bit++) {
      const id = 32 * word + bit;
      if (has(mask, id) && !banned.has(id)) return true;
    }
  }
  return false;
}
