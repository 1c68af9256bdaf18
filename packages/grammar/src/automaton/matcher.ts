import { InputError } from '@headwise/core';
import type { Constraint, ConstraintState } from '@headwise/generation';
import type { Automaton, Mask, State } from './automaton.js';
import type { Vocabulary } from './vocabulary.js';

/** Bytes of masks that are remembered. */
const mostMaskBytes = 2 ** 26;

/** The tokens that an automaton allows in each of its states. */
export class Matcher implements Constraint {
  readonly #automaton: Automaton;
  readonly #vocabulary: Vocabulary;
  /** States whose mask is remembered, the oldest first. */
  readonly #masked: State[] = [];
  /** The states along the path of the trie. */
  readonly #path: State[] = [];

  constructor(automaton: Automaton, vocabulary: Vocabulary) {
    this.#automaton = automaton;
    this.#vocabulary = vocabulary;
  }

  start(): ConstraintState {
    return new Match(this, this.#automaton.start);
  }

  /** @param left tokens that may still come */
  mask(state: State, left: number): Uint32Array {
    const mask = state.mask ?? this.#remembered(state);
    return mask.worst < left ? mask.bits : this.#maskOf(state, left).bits;
  }

  /** @throws InputError where the token cannot come */
  after(state: State, id: number): State {
    const { classOf } = this.#automaton;
    let next: State | null = state;
    const text = this.#vocabulary.textOf(id);
    for (const byte of text ?? []) next = next && this.#automaton.after(next, classOf[byte]!);
    if (next && text?.length) return next;
    throw new InputError(
      `grammar: token ${id} cannot come here; expected one that the mask allows`,
    );
  }

  #remembered(state: State): Mask {
    const made = this.#maskOf(state, Number.POSITIVE_INFINITY);
    this.#masked.push(state);
    const most = Math.max(16, Math.floor(mostMaskBytes / made.bits.byteLength));
    if (this.#masked.length > most) this.#masked.shift()!.mask = undefined;
    state.mask = made;
    return made;
  }

  /** Tokens after which fewer than `left` complete the text. */
  #maskOf(state: State, left: number): Mask {
    const { bytes, depths, ends, first, ids, size } = this.#vocabulary;
    const { classOf } = this.#automaton;
    const bits = new Uint32Array(Math.ceil(size / 32));
    let worst = 0;
    const path = this.#path;
    path[0] = state;
    for (let node = 1; node < bytes.length; ) {
      const depth = depths[node]!;
      const before = path[depth - 1]!;
      const byteClass = classOf[bytes[node]!]!;
      const known = before.next[byteClass];
      const next = known === undefined ? this.#automaton.after(before, byteClass) : known;
      if (!next) {
        node = ends[node]!;
        continue;
      }
      path[depth] = next;
      if (next.rest < left) {
        const last = first[node + 1]!;
        for (let i = first[node]!; i < last; i++) {
          const id = ids[i]!;
          bits[id >> 5]! |= 1 << (id & 31);
          if (next.rest > worst) worst = next.rest;
        }
      }
      node++;
    }
    return { bits, worst };
  }
}

class Match implements ConstraintState {
  readonly #matcher: Matcher;
  #state: State;

  constructor(matcher: Matcher, state: State) {
    this.#matcher = matcher;
    this.#state = state;
  }

  get rest(): number {
    return this.#state.rest;
  }

  get done(): boolean {
    return this.#state.accepts && this.#state.configurations.length === 0;
  }

  mask(left: number): Uint32Array {
    return this.#matcher.mask(this.#state, left);
  }

  accept(id: number): void {
    this.#state = this.#matcher.after(this.#state, id);
  }

  clone(): ConstraintState {
    return new Match(this.#matcher, this.#state);
  }
}
