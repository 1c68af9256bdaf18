import { checkOneOf, checkShape, InputError, type TokenCache } from '@headwise/core';
import { Heads, type RotaryTables } from '@headwise/kernels';
import { checkScoring, type KeysValues } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import {
  attendFirst,
  attendRows,
  type CacheAttentionOptions,
  checkTerm,
  longestPiece,
  type NewTokens,
  ringOf,
  type SlidingWindow,
  tokensFrom,
  turnedTokens,
} from './attend.js';
import { FixedRows } from './fixed-rows.js';
import { LeakWarning } from './leak.js';
import { type CacheStorage, cacheStorages, Rows } from './rows.js';
import { type Tokens, TokensOfPass } from './tokens.js';

export interface KeyValueCacheOptions {
  /** Room for this many tokens of a sequence, made at once; without it, room doubles as tokens come. */
  capacity?: number | undefined;
  /** Keeps this many of the latest tokens, whatever the length of the sequence; excludes `capacity`. */
  window?: number | undefined;
  /** Keeps the first tokens as well, besides a window: attention leans on them. Default 0. */
  sinks?: number | undefined;
  /** `f16` takes half the memory, with values up to 65,504; where there are no kernels, f32 all the same. Default f32. */
  storage?: CacheStorage | undefined;
}

/**
 * The keys and values of past tokens while generating, one entry per layer, keyed by the layer's path.
 *
 * With the kernels of `@headwise/kernels` registered, they lie in memory with room for more, and a new
 * token is written in place; elsewhere they are joined anew. For inference: no gradient passes through
 * it. It owns its tensors: they outlive every `tf.tidy` and are freed by `dispose`.
 *
 * @see Xiao et al. 2023, https://arxiv.org/abs/2309.17453 (a window with sinks)
 * @example
 * const cache = new KeyValueCache();
 * model.forward(prompt, { cache });
 * const logits = model.forward(next, { cache }); // of one token
 * cache.dispose();
 */
export class KeyValueCache implements TokenCache {
  readonly #layers = new Map<string, Rows>();
  readonly #fixed = new FixedRows();
  readonly #capacity: number | undefined;
  readonly #window: SlidingWindow | undefined;
  readonly #storage: CacheStorage;
  readonly #leak = new LeakWarning(this, 'KeyValueCache');
  readonly #tokens = new TokensOfPass();
  #disposed = false;

  /** @throws InputError for sizes that are not whole numbers in range, and for an unknown storage */
  constructor({ capacity, window, sinks = 0, storage = 'f32' }: KeyValueCacheOptions = {}) {
    checkOneOf('KeyValueCache: storage', storage, cacheStorages);
    checkCount('capacity', capacity, 1);
    checkCount('window', window, 1);
    checkCount('sinks', sinks, 0);
    if (capacity !== undefined && window !== undefined) {
      throw new InputError('KeyValueCache: a window is its own capacity; give one of the two');
    }
    if (sinks > 0 && window === undefined) {
      throw new InputError(`KeyValueCache: ${sinks} sinks without a window; give both`);
    }
    this.#storage = storage;
    this.#capacity = capacity;
    this.#window = window === undefined ? undefined : { sinks, size: window };
  }

  /** The number of tokens that every layer has seen, of the longest sequence: the position of its next one. */
  get length(): number {
    return Math.max(0, ...this.starts);
  }

  /** The number of tokens of each sequence that every layer has seen; empty before the first. */
  get starts(): readonly number[] {
    const [first, ...others] = [...this.#layers.values()].map(({ seen }) => seen);
    return first?.map((n, b) => Math.min(n, ...others.map((seen) => seen[b]!))) ?? [];
  }

  /** The number of tokens that one layer has seen, of the longest sequence. */
  lengthOf(path: string): number {
    return Math.max(0, ...(this.#layers.get(path)?.seen ?? []));
  }

  /**
   * Appends the keys and values of new tokens to a layer's, and attends to those and all before.
   *
   * Nothing of the cache is copied, except for callbacks that see scores or weights, dropout and terms that read keys or
   * weights.
   *
   * @param q `[B, H, T, Dh]`, k and v `[B, Hkv, T, Dh]`, where Hkv divides H
   * @returns `[B, H, T, Dh]`
   * @throws ShapeError where batch, heads or width differ from what is cached; InputError for what is not a mask or a score
   * mod, where tokens do not fit, and after `dispose`
   */
  attend(
    path: string,
    q: tf.Tensor,
    k: tf.Tensor,
    v: tf.Tensor,
    options: CacheAttentionOptions = {},
  ): tf.Tensor {
    const heads = { q: Heads.of(q), k: Heads.of(k), v: Heads.of(v) };
    return tf.tidy(() => this.attendHeads(path, heads, options).headsFirst());
  }

  /** `attend` of heads where they lie; call it in a `tf.tidy`. */
  attendHeads(path: string, { q, k, v }: NewTokens, options: CacheAttentionOptions = {}): Heads {
    this.#checkUsable(path);
    const what = `cache of '${path}'`;
    checkScoring(what, options);
    checkShape(`${what}: k`, k.shape, ['B', 'Hkv', 'T', 'Dh']);
    const [batch, , tokens, width] = k.shape as [number, number, number, number];
    checkShape(`${what}: q`, q.shape, [batch, 'H', tokens, width]);
    const before = this.lengthOf(path);
    const piece = before === 0 ? tokens : longestPiece(before + tokens, this.#window, options);
    if (tokens <= piece) return this.#attendPiece(path, { q, k, v }, options);
    const turned = turnedTokens({ q, k, v }, options.turn);
    const pieces = [];
    for (let from = 0; from < tokens; from += piece) {
      const count = Math.min(piece, tokens - from);
      const lengths = options.lengths?.map((n) => Math.max(0, Math.min(count, n - from)));
      const given = { ...options, turn: undefined, lengths };
      pieces.push(this.#attendPiece(path, tokensFrom(turned, from, count), given).headsFirst());
    }
    return Heads.of(tf.concat(pieces, 2));
  }

  #attendPiece(path: string, given: NewTokens, options: CacheAttentionOptions): Heads {
    const what = `cache of '${path}'`;
    const held = this.#layers.get(path);
    const first = this.lengthOf(path) === 0;
    // First tokens are attended to as they are given, and so turned before.
    const inPlace = held?.inPlace === true && !first;
    const { q, k, v } = inPlace ? given : turnedTokens(given, options.turn);
    const turn = inPlace ? options.turn : undefined;
    const tokens = this.#tokens.of(what, k, held?.seen, options.lengths);
    if (!first) checkTerm(what, options, tokens, this.#window);
    const rows = this.#written(path, { k, v }, tokens, { turn });
    if (first) return attendFirst({ q, k, v }, tokens, this.#window, options);
    return attendRows(q, rows.memory, tokens, this.#window, { ...options, turn });
  }

  /**
   * Appends the keys and values of new tokens to a layer's, for layers that attend in another way.
   *
   * @param k `[B, Hkv, T, Dh]`, v the same
   * @param counts the tokens of each sequence that are not padding, which stands at the end; default `T`
   * @param room tokens of a sequence that room is made for with the first ones; default as many as are given
   * @throws ShapeError where batch, heads or width differ from what is cached; InputError where tokens
   * do not fit, and after `dispose`
   */
  append(
    path: string,
    k: tf.Tensor,
    v: tf.Tensor,
    counts?: readonly number[],
    room: number = k.shape[2]!,
  ): void {
    this.#checkUsable(path);
    const tokens = this.#tokens.of(`cache of '${path}'`, k, this.#layers.get(path)?.seen, counts);
    this.#written(path, { k: Heads.of(k), v: Heads.of(v) }, tokens, { room });
  }

  /** Writes new tokens to a layer's rows. */
  #written(
    path: string,
    { k, v }: KeysValues<Heads>,
    tokens: Tokens,
    { turn, room = tokens.most }: { turn?: RotaryTables | undefined; room?: number },
  ): Rows {
    const what = `cache of '${path}'`;
    checkShape(`${what}: v`, v.shape, k.shape);
    const held = this.#layers.get(path);
    const [, heads, , width] = held?.shape ?? k.shape;
    checkShape(`${what}: k`, k.shape, [this.#batch() ?? 'B', heads ?? 'Hkv', 'T', width ?? 'Dh']);
    const longest = Math.max(...tokens.ends);
    if (this.#capacity !== undefined && longest > this.#capacity) {
      throw new InputError(
        `${what}: ${longest} tokens of a sequence; it was made for ${this.#capacity}`,
      );
    }
    const rows = held ?? this.#roomFor({ shape: k.shape.with(2, room) });
    this.#layers.set(path, rows);
    this.#holds();
    rows.write({ k, v }, tokens, turn);
    return rows;
  }

  /** @param like the first keys of a layer */
  #roomFor(like: Pick<tf.Tensor, 'shape'>): Rows {
    const ring = this.#window && ringOf(this.#window);
    const capacity = ring ? ring.sinks + ring.size : this.#capacity;
    return new Rows(like, { capacity, ring, storage: this.#storage });
  }

  /**
   * Makes room for a layer's tokens, where kernels are to write their rows themselves; then `advance` counts them.
   *
   * @param shape the heads of keys `Hkv`, their width `Dh`, the tokens of a sequence, and the number of sequences, at least
   * @returns the number of tokens of a sequence that there is room for
   * @throws ShapeError where the layer holds others; InputError for a window, where rows are not written in place, and after
   * `dispose`
   */
  reserve(
    path: string,
    shape: { heads: number; headDim: number; tokens: number; sequences?: number | undefined },
  ): number {
    this.#checkUsable(path);
    const { heads, headDim, tokens, sequences = 1 } = shape;
    const what = `cache of '${path}'`;
    const rows =
      this.#layers.get(path) ?? this.#roomFor({ shape: [sequences, heads, tokens, headDim] });
    if (!rows.inPlace || this.#window || (this.#capacity ?? tokens) < tokens) {
      throw new InputError(
        `${what}: room for ${tokens} tokens to be written in place; expected a cache that grows, on a backend with kernels`,
      );
    }
    this.#layers.set(path, rows);
    this.#holds();
    checkShape(`${what}: rows`, rows.shape, ['B', heads, 'C', headDim]);
    rows.reserve(tokens, sequences);
    return rows.shape[2];
  }

  /**
   * The rows of a layer as they lie: `[B, Hkv, C, Dh]` each, or int32 `[B, Hkv, C, ⌈Dh / 2⌉]` with halves. The cache owns
   * them, and makes others as it grows.
   *
   * @throws InputError where the layer has none
   */
  rowsOf(path: string): KeysValues {
    const rows = this.#layers.get(path);
    if (!rows) throw new InputError(`cache of '${path}': has no rows; reserve or append first`);
    return rows.memory;
  }

  /** Counts tokens that kernels wrote into the reserved room of every layer, of each sequence. */
  advance(tokens: readonly number[]): void {
    for (const rows of this.#layers.values()) rows.advance(tokens);
  }

  /**
   * Keys and values that are made once, as those of an encoder's output in cross-attention.
   *
   * @param batch the number of sequences that ask
   * @param make gives `[B, Hkv, T, Dh]` each; called where the layer has none yet
   * @returns what the cache keeps
   * @throws InputError where they are of another number of sequences, and after `dispose`
   */
  once(path: string, batch: number, make: () => KeysValues): KeysValues {
    this.#checkUsable(path);
    const fixed = this.#fixed.once(path, batch, make);
    this.#holds();
    return fixed;
  }

  /**
   * Forgets all tokens of every sequence from a position on, or from one for each; nothing is moved.
   *
   * @throws InputError where tokens before it have left the window, and after `dispose`
   */
  trim(length: number | readonly number[]): void {
    this.#checkUsable();
    const lengths = typeof length === 'number' ? this.starts.map(() => length) : length;
    const batch = this.#batch() ?? lengths.length;
    if (lengths.length !== batch) {
      throw new InputError(
        `KeyValueCache: trim takes ${lengths.length} lengths; expected ${batch}`,
      );
    }
    for (const one of lengths) checkCount('trim: length', one, 0);
    for (const [path, { seen }] of this.#layers) {
      const sliding = this.#window;
      const lost = seen.findIndex(
        (n, b) => sliding && n > sliding.sinks + sliding.size && n > lengths[b]!,
      );
      if (lost >= 0) {
        throw new InputError(
          `cache of '${path}': ${seen[lost]} tokens cannot be trimmed to ${lengths[lost]}, as the window of ${sliding!.size} has lost older ones`,
        );
      }
    }
    for (const rows of this.#layers.values()) rows.trim(lengths);
  }

  /**
   * Makes each sequence go on from another, as beams do: sequence `i` continues what `order[i]` was.
   *
   * The batch may grow or shrink.
   *
   * @throws InputError for an index outside the batch, and after `dispose`
   */
  reorder(order: readonly number[]): void {
    this.#checkUsable();
    const batch = this.#batch() ?? this.#fixed.batch ?? 0;
    if (order.length === 0) throw new InputError('KeyValueCache: reorder without sequences');
    for (const index of order) {
      if (!(Number.isInteger(index) && index >= 0 && index < batch)) {
        throw new InputError(`KeyValueCache: reorder takes sequence ${index} of ${batch}`);
      }
    }
    for (const rows of this.#layers.values()) rows.reorder(order);
    this.#fixed.reorder(order);
  }

  /**
   * Takes in the sequences of another cache, behind its own; the other one is disposed.
   *
   * @throws InputError where the two are not of one kind or hold other layers, and after `dispose`
   */
  join(other: KeyValueCache): void {
    this.#checkUsable();
    other.#checkUsable();
    const [own, others] = [this, other].map((cache) => cache.#kind());
    const empty = this.#layers.size + this.#fixed.paths.length === 0;
    if (empty ? own!.options !== others!.options : own!.all !== others!.all) {
      const { all, options } = own!;
      throw new InputError(
        `KeyValueCache: join takes a cache of ${empty ? others!.options : others!.all}; expected ${empty ? options : all}`,
      );
    }
    for (const [path, rows] of other.#layers) {
      const held = this.#layers.get(path);
      if (held) held.join(rows);
      else this.#layers.set(path, rows);
      if (held) rows.dispose();
    }
    this.#fixed.join(other.#fixed);
    other.#layers.clear();
    other.dispose();
    this.#holds();
  }

  /**
   * Copies sequences of another cache, or of this one, into places that were reserved; they are written where they lie.
   *
   * @param from the sequence to copy for each place; undefined leaves the place as it is
   * @throws InputError for another number of places, where the two are not of one kind or hold other layers, and after `dispose`
   */
  put(other: KeyValueCache, from: readonly (number | undefined)[]): void {
    this.#checkUsable();
    other.#checkUsable();
    const [own, others] = [this.#kind().all, other.#kind().all];
    if (own !== others) {
      throw new InputError(`KeyValueCache: put takes a cache of ${others}; expected ${own}`);
    }
    if (from.length !== this.#batch()) {
      throw new InputError(
        `KeyValueCache: put takes ${from.length} places; expected ${this.#batch()}`,
      );
    }
    for (const [path, rows] of this.#layers) rows.put(other.#layers.get(path)!, from);
  }

  /** The layers that have tokens, by path. */
  get paths(): string[] {
    return [...this.#layers.keys()];
  }

  /** The shape of a layer's keys and values, `[B, Hkv, C, Dh]` with room for C tokens. @throws InputError where it has none */
  shapeOf(path: string): [number, number, number, number] {
    const rows = this.#layers.get(path);
    if (!rows) throw new InputError(`cache of '${path}': has no rows; reserve or append first`);
    return rows.shape;
  }

  /** Whether it has a window, which old tokens leave. */
  get slides(): boolean {
    return this.#window !== undefined;
  }

  /**
   * Copies the keys and values of some tokens of a sequence, which `append` puts into another cache.
   *
   * @param sequence its place in the batch
   * @param from the first token; `to` is behind the last
   * @returns `[1, Hkv, to - from, Dh]` each, float32; the caller's
   * @throws InputError for tokens that the layer does not have, for a window, which may have lost some, and after `dispose`
   */
  copy(path: string, sequence: number, from: number, to: number): KeysValues {
    this.#checkUsable(path);
    if (this.#window) {
      throw new InputError(
        `cache of '${path}': copy from a cache with a window; expected one of whole sequences`,
      );
    }
    const rows = this.#layers.get(path);
    const length = rows?.seen[sequence] ?? 0;
    if (
      !(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from < to && to <= length)
    ) {
      throw new InputError(
        `cache of '${path}': copy takes tokens ${from} to ${to} of sequence ${sequence}, which has ${length}`,
      );
    }
    return rows!.copy(sequence, from, to);
  }

  /** The memory of all keys and values, in bytes, room for more included. */
  get bytes(): number {
    const rows = [...this.#layers.values()].map(({ memory }) => memory);
    return rows.reduce((sum, { k, v }) => sum + 4 * (k.size + v.size), this.#fixed.bytes);
  }

  /** What caches must have in common to be joined. */
  #kind(): { options: string; all: string } {
    const { sinks, size } = this.#window ?? { sinks: 0, size: 'none' };
    const options = `storage ${this.#storage}, capacity ${this.#capacity ?? 'that grows'}, window ${size}, ${sinks} sinks`;
    const layers = [...this.#layers.keys(), ...this.#fixed.paths].sort();
    return { options, all: `${options}, layers ${layers.join(' ')}` };
  }

  /** Frees every key and value. */
  dispose(): void {
    for (const rows of this.#layers.values()) rows.dispose();
    this.#fixed.dispose();
    this.#tokens.dispose();
    this.#layers.clear();
    this.#leak.over();
    this.#disposed = true;
  }

  #checkUsable(path?: string): void {
    if (!this.#disposed) return;
    const who = path === undefined ? 'KeyValueCache' : `cache of '${path}'`;
    throw new InputError(`${who}: used after it was disposed`);
  }

  #batch(): number | undefined {
    return [...this.#layers.values()][0]?.shape[0];
  }

  #holds(): void {
    this.#leak.holds(this.#layers.size + this.#fixed.paths.length);
  }
}

function checkCount(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least)) return;
  throw new InputError(
    `KeyValueCache: ${name} is ${value}; expected a whole number of at least ${least}`,
  );
}
