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
  /** Tokens that a sequence is taken back by at most, such as wrong drafts; beyond them the constraint begins anew. */
  undo: number;
}

/** The ids that a constraint allows after a sequence, end tokens included. */
export class AllowedIds {
  readonly #constraint: Constraint;
  readonly #limits: ConstraintLimits;
  readonly #mask: Int32Array;
  /** The states after the last new tokens, the latest last. */
  #states: ConstraintState[];
  /** The new tokens that the latest state is after. */
  readonly #seen: number[] = [];

  /** @throws InputError where no output of the constraint has at most `most` tokens */
  constructor(constraint: Constraint, limits: ConstraintLimits) {
    this.#constraint = constraint;
    this.#limits = limits;
    this.#mask = new Int32Array(maskWords(limits.vocabSize));
    const start = constraint.start();
    this.#states = [start];
    const { rest } = start;
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
    const given = state.mask(this.#left(sequence, most));
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

  /**
   * The first of some ids that may follow a sequence one after the other; none from an end token on.
   *
   * @param sequence prompt and new tokens @param most the most new tokens of all
   */
  fitting(sequence: readonly number[], ids: readonly number[], most: number): readonly number[] {
    const all = [...sequence];
    for (const id of ids) {
      if (this.#limits.stopIds.includes(id)) break;
      const mask = this.#after(all).mask(this.#left(all, most));
      if (mask && !has(mask, id)) break;
      all.push(id);
    }
    return all.slice(sequence.length);
  }

  /** Tokens that may still come after a sequence, the next one included. */
  #left(sequence: readonly number[], most: number): number {
    return Math.max(1, most - (sequence.length - this.#limits.startLength));
  }

  /** The state after a sequence: what it was at the last call or some tokens before, and what came after, or begun anew. */
  #after(sequence: readonly number[]): ConstraintState {
    const { startLength, undo } = this.#limits;
    const seen = this.#seen;
    const made = sequence.length - startLength;
    let same = 0;
    while (same < Math.min(made, seen.length) && sequence[startLength + same] === seen[same])
      same++;
    const kept = this.#states.length - (seen.length - same);
    if (kept < 1) {
      this.#states = [this.#constraint.start()];
      same = 0;
    } else this.#states.length = kept;
    seen.length = same;
    for (const id of sequence.slice(startLength + same)) {
      const latest = this.#states.at(-1)!;
      const next = undo > 0 ? latest.clone() : latest;
      next.accept(id);
      seen.push(id);
      if (undo > 0) this.#states.push(next);
      if (this.#states.length > undo + 1) this.#states.shift();
    }
    return this.#states.at(-1)!;
  }
}

const has = (mask: Int32Array | Uint32Array, id: number): boolean =>
  ((mask[id >> 5]! >>> (id & 31)) & 1) === 1;

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
