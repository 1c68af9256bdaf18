import * as tf from '@tensorflow/tfjs';
import { kept } from './kept.js';
import { type Ring, tokenIn } from './ring.js';
import { isLevel, placesOf, type Tokens, visibleKeys } from './tokens.js';

/** Keys and values of one attention layer, `[B, Hkv, T, Dh]` each. */
export interface KeysAndValues {
  k: tf.Tensor;
  v: tf.Tensor;
}

/** What the queries of new tokens attend to; the cache owns it, and the next token changes it. */
export type CachedKeysValues =
  | FreshKeysValues
  | KeptKeysValues
  | {
      /** Tokens leave the window before all new ones have seen them: old and new, `[B, Hkv, C + T, Dh]`. */
      readonly kind: 'passing';
      readonly rows: KeysAndValues;
      /** `[B, 1, T, C + T]`: ones where a new token may look. */
      readonly visible: () => tf.Tensor4D;
    };

/** There was nothing before: keys and values as they were given. */
export interface FreshKeysValues {
  readonly kind: 'fresh';
  readonly rows: KeysAndValues;
  /** The tokens of each sequence that are no padding. */
  readonly lengths: readonly number[];
}

/** The cache itself, with room for `C` tokens. */
export interface KeptKeysValues {
  readonly kind: 'kept';
  /** `[B, Hkv, C, Dh]` */
  readonly rows: KeysAndValues;
  /** The tokens of each sequence, new ones included; what lies behind them is not to be read. */
  readonly lengths: readonly number[];
  /** Whether all sequences have as many tokens, and as many new ones. */
  readonly level: boolean;
  /** int32, `[B, 2]`: the tokens of each sequence, and how many are new; where they differ and kernels run. */
  readonly places: tf.Tensor2D | undefined;
  /** `[B, 1, T, C]`: ones where a new token may look. */
  readonly visible: () => tf.Tensor4D;
}

/** The smallest room that is made without being asked for. */
const leastRoom = 64;

/** Keys and values of the past tokens of one layer. */
export class Rows {
  #k: tf.Tensor;
  #v: tf.Tensor;
  #seen: readonly number[];
  readonly #inPlace: boolean;
  readonly #ring: Ring | undefined;

  /** @param like `[B, Hkv, T, Dh]`, the first keys */
  constructor(like: tf.Tensor, capacity: number | undefined, ring: Ring | undefined) {
    const [batch, heads, tokens, width] = like.shape as [number, number, number, number];
    this.#ring = ring;
    // The package that has the kernel is above this one: it is known by its name.
    this.#inPlace = tf.getKernel('headwise/AppendKeysValues', tf.getBackend()) !== undefined;
    const room = this.#inPlace ? (capacity ?? roomFor(tokens)) : 0;
    this.#k = kept(() => tf.zeros([batch, heads, room, width]));
    this.#v = kept(() => tf.zeros([batch, heads, room, width]));
    this.#seen = Array<number>(batch).fill(0);
  }

  /** The tokens of each sequence that came so far. */
  get seen(): readonly number[] {
    return this.#seen;
  }

  /** `[B, Hkv, C, Dh]` */
  get shape(): number[] {
    return this.#k.shape;
  }

  /** Writes new tokens to their places. */
  write(added: KeysAndValues, tokens: Tokens): void {
    if (this.#inPlace) {
      this.#writeInPlace(added, tokens);
    } else {
      const [k, v] = [this.#k, this.#v];
      this.#k = kept(() => this.#joined(k, added.k, tokens));
      this.#v = kept(() => this.#joined(v, added.v, tokens));
      tf.dispose([k, v]);
    }
    this.#seen = tokens.ends;
  }

  #writeInPlace(added: KeysAndValues, tokens: Tokens): void {
    const longest = Math.max(...tokens.ends);
    if (!this.#ring && longest > this.shape[2]!) this.#grow(roomFor(longest));
    const { sinks, size } = this.#ring ?? { sinks: 0, size: this.shape[2]! };
    const places = isLevel(tokens) ? {} : { places: placesOf(tokens) };
    tf.engine().runKernel(
      'headwise/AppendKeysValues',
      { ...added, cacheK: this.#k, cacheV: this.#v, ...places },
      { position: longest - tokens.most, sinks, ring: size },
    );
  }

  /** Old and new rows in one tensor: a copy, as much as attention is to read. */
  #joined(old: tf.Tensor, added: tf.Tensor, tokens: Tokens): tf.Tensor {
    const [batch, heads, , width] = old.shape as [number, number, number, number];
    const longest = Math.max(...tokens.ends);
    const most = this.#ring ? this.#ring.sinks + this.#ring.size : longest;
    if (isLevel(tokens) && longest <= most) {
      const before = longest - tokens.most;
      return tf.concat([old.slice([0, 0, 0, 0], [batch, heads, before, width]), added], 2);
    }
    const both = tf.concat([old, added], 2).unstack(0); // [Hkv, C + T, Dh] each
    const sequences = both.map((rows, b) => {
      const end = tokens.ends[b]!;
      const start = end - tokens.counts[b]!;
      const from = Array.from({ length: Math.min(longest, most) }, (_, place) => {
        const token = tokenIn(place, end, this.#ring);
        return token < start ? Math.min(place, old.shape[2]!) : old.shape[2]! + token - start;
      });
      return tf.gather(rows, tf.tensor1d(from, 'int32'), 1);
    });
    return tf.stack(sequences);
  }

  /** The rows as they are, for the queries of the tokens that were just written. */
  kept(tokens: Tokens): KeptKeysValues {
    const room = this.shape[2]!;
    const held = (b: number) => placesHeld(room, tokens.ends[b]!, this.#ring);
    return {
      kind: 'kept',
      rows: { k: this.#k, v: this.#v },
      lengths: tokens.ends.map((n) => Math.min(n, room)),
      level: isLevel(tokens),
      places: tokens.places,
      visible: () => visibleKeys(tokens, room, held, this.#ring),
    };
  }

  /** The rows with new ones behind them, before those take the places of others. */
  passing({ k, v }: KeysAndValues, tokens: Tokens): CachedKeysValues {
    const room = this.shape[2]!;
    const held = (b: number) => {
      const [end, count] = [tokens.ends[b]!, tokens.counts[b]!];
      const added = Array.from({ length: tokens.most }, (_, t) =>
        t < count ? end - count + t : -1,
      );
      return [...placesHeld(room, end - count, this.#ring), ...added];
    };
    return {
      kind: 'passing',
      rows: { k: tf.concat([this.#k, k], 2), v: tf.concat([this.#v, v], 2) },
      visible: () => visibleKeys(tokens, room + tokens.most, held, this.#ring),
    };
  }

  trim(length: number): void {
    this.#seen = this.#seen.map((n) => Math.min(n, length));
  }

  reorder(order: readonly number[]): void {
    const old = { k: this.#k, v: this.#v };
    ({ k: this.#k, v: this.#v } = reordered(old, order));
    this.#seen = order.map((b) => this.#seen[b]!);
    tf.dispose([old.k, old.v]);
  }

  dispose(): void {
    tf.dispose([this.#k, this.#v]);
  }

  #grow(room: number): void {
    const old = [this.#k, this.#v];
    const [batch, heads, before, width] = this.shape as [number, number, number, number];
    const more = [batch, heads, room - before, width];
    const grown = (x: tf.Tensor) => kept(() => tf.concat([x, tf.zeros(more)], 2));
    [this.#k, this.#v] = [grown(this.#k), grown(this.#v)];
    tf.dispose(old);
  }
}

/** The sequences of a batch in another order; the caller owns them. */
export function reordered({ k, v }: KeysAndValues, order: readonly number[]): KeysAndValues {
  const taken = (x: tf.Tensor) => kept(() => tf.gather(x, tf.tensor1d([...order], 'int32')));
  return { k: taken(k), v: taken(v) };
}

/** Room for some tokens of a sequence: what doubling leads to. */
const roomFor = (tokens: number) => Math.max(leastRoom, 2 ** Math.ceil(Math.log2(tokens)));

/** The tokens that the places of a sequence hold. */
const placesHeld = (room: number, end: number, ring: Ring | undefined): number[] =>
  Array.from({ length: room }, (_, place) => tokenIn(place, end, ring));
