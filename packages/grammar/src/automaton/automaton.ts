import { InputError } from '@headwise/core';
import type { Network } from '../network/network.js';

/** The most ways in which the text so far can be read. */
const mostConfigurations = 5_000;
/** The most states that are kept; where there are more, all are dropped and computed again when needed. */
const mostStates = 20_000;

/** Where a call returns to, and the calls around it. */
class Frame {
  readonly position: number;
  readonly below: Frame | undefined;
  /** Tokens that complete it and those around it. */
  readonly rest: number;
  readonly #frames = new Map<number, Frame>();
  readonly #configurations = new Map<number, Configuration>();

  constructor(position: number, below: Frame | undefined, rest: number) {
    this.position = position;
    this.below = below;
    this.rest = rest;
  }

  above(position: number, distance: number): Frame {
    let frame = this.#frames.get(position);
    if (!frame) {
      frame = new Frame(position, this, this.rest + distance);
      this.#frames.set(position, frame);
    }
    return frame;
  }

  at(position: number, distance: number, nextId: () => number): Configuration {
    let made = this.#configurations.get(position);
    if (!made) {
      made = { id: nextId(), position, frame: this, rest: this.rest + distance };
      this.#configurations.set(position, made);
    }
    return made;
  }
}

/** A position of the network within calls. */
interface Configuration {
  readonly id: number;
  readonly position: number;
  readonly frame: Frame;
  readonly rest: number;
}

/** All that the text so far may be the beginning of. */
export class State {
  /** Configurations that a byte leads on from. */
  readonly configurations: readonly Configuration[];
  /** Whether the text is complete. */
  readonly accepts: boolean;
  /** A number of tokens that complete the text; 0 where it is complete. */
  readonly rest: number;
  /** By class of bytes; null where the byte cannot come, undefined where it is not known yet. */
  readonly next: (State | null | undefined)[];
  /** Which tokens lead on, once it was asked for. */
  mask: Mask | undefined;

  constructor(configurations: readonly Configuration[], accepts: boolean, classes: number) {
    this.configurations = configurations;
    this.accepts = accepts;
    this.rest = accepts
      ? 0
      : configurations.reduce((least, { rest }) => Math.min(least, rest), Number.POSITIVE_INFINITY);
    this.next = Array<State | null | undefined>(classes).fill(undefined);
  }
}

/** The tokens after which the text can be completed. */
export interface Mask {
  /** Bit `id mod 32` of word `⌊id / 32⌋`. */
  readonly bits: Uint32Array;
  /** The greatest `rest` after one of them. */
  readonly worst: number;
}

/**
 * A network as an automaton over bytes whose states are made when they are first reached. A state is a set of configurations;
 * equal sets are one state, so that what is known of it is used again.
 */
export class Automaton {
  readonly #network: Network;
  readonly #distances: Float64Array;
  /** Of each position, in bytes; Infinity where no text completes it. */
  readonly #byteDistances: Float64Array;
  /** The class of each byte: no edge tells two bytes of a class apart. */
  readonly classOf: Uint8Array;
  readonly #classes: number;
  /** A byte of each class. */
  readonly #bytes: readonly number[];
  #states = new Map<string, State>();
  #start: State | undefined;
  #ids = 0;
  readonly #nextId = () => this.#ids++;
  readonly #ends: ReadonlySet<number>;

  /** @param distances of each position, in tokens @param byteDistances in bytes */
  constructor(network: Network, distances: Float64Array, byteDistances: Float64Array) {
    this.#network = network;
    this.#distances = distances;
    this.#byteDistances = byteDistances;
    this.#ends = new Set(network.ends);
    const cuts = new Set([0]);
    for (const edges of network.edges) {
      for (const { low, high } of edges) cuts.add(low).add(high + 1);
    }
    this.#bytes = [...cuts].filter((cut) => cut < 256).sort((a, b) => a - b);
    this.#classes = this.#bytes.length;
    this.classOf = Uint8Array.from({ length: 256 }, (_, byte) =>
      this.#bytes.findLastIndex((first) => first <= byte),
    );
  }

  /** The state of the empty text. */
  get start(): State {
    if (!this.#start) {
      const [start] = this.#network.starts;
      this.#start = this.#stateOf([[start!, new Frame(-1, undefined, 0)]]) ?? this.#dead;
    }
    return this.#start;
  }

  readonly #dead = new State([], false, 0);

  /** The state after a byte, by its class; null where it cannot come. */
  after(state: State, byteClass: number): State | null {
    const known = state.next[byteClass];
    if (known !== undefined) return known;
    const byte = this.#bytes[byteClass]!;
    const reached: [number, Frame][] = [];
    for (const { position, frame } of state.configurations) {
      for (const edge of this.#network.edges[position]!) {
        if (edge.low <= byte && byte <= edge.high) reached.push([edge.to, frame]);
      }
    }
    const next = reached.length === 0 ? null : this.#stateOf(reached);
    state.next[byteClass] = next;
    return next;
  }

  /** The state of positions in their frames and all that they lead to without a byte; null where nothing completes it. */
  #stateOf(reached: [number, Frame][]): State | null {
    const seen = new Set<Configuration>();
    const open: Configuration[] = [];
    const add = (position: number, frame: Frame) => {
      // Within a token there may be positions that no other token leads on from: only bytes tell what is dead.
      if (this.#byteDistances[position] === Number.POSITIVE_INFINITY) return;
      const configuration = frame.at(position, this.#distances[position]!, this.#nextId);
      if (seen.has(configuration)) return;
      seen.add(configuration);
      open.push(configuration);
    };
    for (const [position, frame] of reached) add(position, frame);
    let accepts = false;
    const { epsilons, calls, edges, starts } = this.#network;
    const isEnd = this.#ends;
    for (let next = open.pop(); next; next = open.pop()) {
      const { position, frame } = next;
      for (const to of epsilons[position]!) add(to, frame);
      for (const { rule, to } of calls[position]!) {
        if (this.#byteDistances[to] === Number.POSITIVE_INFINITY) continue;
        // A call at the end of a rule needs no return.
        const own = isEnd.has(to) ? frame : frame.above(to, this.#distances[to]!);
        add(starts[rule]!, own);
      }
      if (!isEnd.has(position)) continue;
      if (frame.below) add(frame.position, frame.below);
      else accepts = true;
    }
    if (seen.size > mostConfigurations) {
      throw new InputError(
        `grammar: its text can be read in more than ${mostConfigurations} ways; expected a less ambiguous grammar`,
      );
    }
    const kept = [...seen].filter(({ position }) => edges[position]!.length > 0);
    if (kept.length === 0 && !accepts) return null;
    kept.sort((a, b) => a.id - b.id);
    const key = `${accepts ? '.' : ''}${kept.map(({ id }) => id).join()}`;
    let state = this.#states.get(key);
    if (!state) {
      if (this.#states.size >= mostStates) this.#forget();
      state = new State(kept, accepts, this.#classes);
      this.#states.set(key, state);
    }
    return state;
  }

  #forget(): void {
    this.#states = new Map();
    this.#start = undefined;
  }
}
