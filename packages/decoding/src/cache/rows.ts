import type { Heads, RotaryTables } from '@headwise/kernels';
import {
  appendKeysValues,
  appendsInPlace,
  type KeysValues,
  type Ring,
  tokenIn,
  unpackHalves,
} from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { kept } from './kept.js';
import { isLevel, placesOf, type Tokens } from './tokens.js';

/** The number format of cached keys and values. */
export type CacheStorage = (typeof cacheStorages)[number];
export const cacheStorages = ['f32', 'f16'] as const;

interface RowsOptions {
  /** Room for this many tokens; default twice as much whenever it is full. */
  capacity: number | undefined;
  ring: Ring | undefined;
  storage: CacheStorage;
}

let told = false;

function tellOfF32(): void {
  if (told) return;
  told = true;
  console.warn(
    `KeyValueCache: storage 'f16' needs the kernels of @headwise/kernels, for webgpu or wasm; '${tf.getBackend()}' keeps f32.`,
  );
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
  readonly #width: number;
  readonly #halves: boolean;

  /** @param like `[B, Hkv, T, Dh]`, the first keys */
  constructor(like: Pick<tf.Tensor, 'shape'>, { capacity, ring, storage }: RowsOptions) {
    const [batch, heads, tokens, width] = like.shape as [number, number, number, number];
    this.#ring = ring;
    this.#width = width;
    this.#inPlace = appendsInPlace();
    const room = this.#inPlace ? (capacity ?? roomFor(tokens)) : 0;
    this.#halves = storage === 'f16' && this.#inPlace;
    if (storage === 'f16' && !this.#halves) tellOfF32();
    [this.#k, this.#v] = this.#rooms(batch, heads, room);
    this.#seen = Array<number>(batch).fill(0);
  }

  /** The tokens of each sequence that came so far. */
  get seen(): readonly number[] {
    return this.#seen;
  }

  /** `[B, Hkv, C, Dh]` */
  get shape(): [number, number, number, number] {
    const [batch, heads, room] = this.#k.shape as [number, number, number];
    return [batch, heads, room, this.#width];
  }

  /** Whether new tokens are written to their places by a kernel, which turns keys on the way. */
  get inPlace(): boolean {
    return this.#inPlace;
  }

  /** Writes new tokens to their places. */
  write(added: KeysValues<Heads>, tokens: Tokens, turn?: RotaryTables): void {
    if (this.#inPlace) {
      this.#writeInPlace(added, tokens, turn);
    } else {
      const [k, v] = [this.#k, this.#v];
      this.#k = kept(() => this.#joined(k, added.k.headsFirst(), tokens));
      this.#v = kept(() => this.#joined(v, added.v.headsFirst(), tokens));
      tf.dispose([k, v]);
    }
    this.#seen = tokens.ends;
  }

  #writeInPlace(added: KeysValues<Heads>, tokens: Tokens, turn: RotaryTables | undefined): void {
    const longest = Math.max(...tokens.ends);
    if (!this.#ring && longest > this.shape[2]) this.#grow(roomFor(longest));
    appendKeysValues({ k: this.#k, v: this.#v }, added, {
      position: longest - tokens.most,
      ring: this.#ring,
      places: isLevel(tokens) ? undefined : placesOf(tokens),
      turn,
    });
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

  /** Makes room for tokens of a sequence, and for sequences, which have no tokens yet. */
  reserve(tokens: number, sequences: number): void {
    const [batch, , room] = this.shape;
    if (tokens > room) this.#grow(roomFor(tokens));
    if (sequences <= batch) return;
    const added = sequences - batch;
    const [, , length] = this.shape;
    this.#replace(length, (which) =>
      tf.pad(this.#plain(which, length), [
        [0, added],
        [0, 0],
        [0, 0],
        [0, 0],
      ]),
    );
    this.#seen = [...this.#seen, ...Array<number>(added).fill(0)];
  }

  /** The memory itself, `[B, Hkv, C, Dh]` each, or int32 with halves. */
  get memory(): KeysValues {
    return { k: this.#k, v: this.#v };
  }

  /** Counts tokens whose rows were written by others. */
  advance(tokens: readonly number[]): void {
    this.#seen = this.#seen.map((n, b) => n + tokens[b]!);
  }

  trim(lengths: readonly number[]): void {
    this.#seen = this.#seen.map((n, b) => Math.min(n, lengths[b]!));
  }

  reorder(order: readonly number[]): void {
    this.#seen = order.map((b) => this.#seen[b]!);
    if (this.#halves) {
      const room = this.shape[2];
      this.#replace(room, (which) => inOrder(this.#plain(which, room), order));
      return;
    }
    const old = { k: this.#k, v: this.#v };
    ({ k: this.#k, v: this.#v } = reordered(old, order));
    tf.dispose([old.k, old.v]);
  }

  /** Puts copies of the sequences of other rows behind its own. */
  join(other: Rows): void {
    const room = Math.max(this.shape[2], other.shape[2]);
    const seen = [...this.#seen, ...other.#seen];
    const length = Math.min(room, Math.max(...seen));
    const joined = (which: keyof KeysValues) =>
      tf.concat([this, other].map((rows) => padded(rows.#plain(which, length), length)));
    if (this.#inPlace) {
      this.#replace(room, joined);
    } else {
      const old = [this.#k, this.#v];
      [this.#k, this.#v] = [kept(() => joined('k')), kept(() => joined('v'))];
      tf.dispose(old);
    }
    this.#seen = seen;
  }

  /**
   * Writes copies of sequences into places, where they lie; there must be room.
   *
   * @param from the sequence of the other rows, or of these, for each place; undefined leaves it
   */
  put(other: Rows, from: readonly (number | undefined)[]): void {
    const counts = from.map((n) => (n === undefined ? 0 : other.#seen[n]!));
    const longest = Math.max(...counts);
    if (longest > 0) {
      tf.tidy(() => {
        const index = tf.tensor1d(
          from.map((n) => n ?? 0),
          'int32',
        );
        const taken = (which: keyof KeysValues) => tf.gather(other.#plain(which, longest), index);
        const pairs = counts.flatMap((count) => [count, count]);
        const places = tf.tensor2d(pairs, [from.length, 2], 'int32');
        appendKeysValues(this.memory, { k: taken('k'), v: taken('v') }, { position: 0, places });
      });
    }
    this.#seen = this.#seen.map((n, b) => (from[b] === undefined ? n : counts[b]!));
  }

  /** Copies of some tokens of one sequence, `[1, Hkv, to - from, Dh]` as float32; the caller's. */
  copy(sequence: number, from: number, to: number): KeysValues {
    const [, heads, , width] = this.shape;
    const part = (rows: tf.Tensor) =>
      tf.tidy(() => {
        const values = this.#halves ? unpackHalves(rows, width) : rows;
        return values.slice([sequence, 0, from, 0], [1, heads, to - from, width]);
      });
    return { k: part(this.#k), v: part(this.#v) };
  }

  dispose(): void {
    tf.dispose([this.#k, this.#v]);
  }

  /** Room for keys and for values. */
  #rooms(batch: number, heads: number, room: number): [tf.Tensor, tf.Tensor] {
    const shape = [batch, heads, room, this.#halves ? Math.ceil(this.#width / 2) : this.#width];
    const make = () => kept(() => tf.zeros(shape, this.#halves ? 'int32' : 'float32'));
    return [make(), make()];
  }

  /** The first tokens as float32, as many as there is room for. */
  #plain(which: keyof KeysValues, length: number): tf.Tensor {
    const rows = this.memory[which];
    const [batch, heads, room, width] = this.shape;
    const part = (x: tf.Tensor) =>
      x.slice([0, 0, 0, 0], [batch, heads, Math.min(length, room), width]);
    if (!this.#halves) return part(rows);
    // Unpacked before all else: the operations of TensorFlow.js round large whole numbers on WebGPU.
    return part(unpackHalves(rows, width));
  }

  #grow(room: number): void {
    const [, , before] = this.shape;
    this.#replace(room, (which) => this.#plain(which, before));
  }

  /** Puts what is made of the old rows into new room. */
  #replace(room: number, make: (which: keyof KeysValues) => tf.Tensor): void {
    const old = [this.#k, this.#v];
    tf.tidy(() => {
      const [k, v] = [make('k'), make('v')];
      const [batch, heads] = k.shape as [number, number, number, number];
      [this.#k, this.#v] = this.#rooms(batch, heads, room);
      appendKeysValues({ k: this.#k, v: this.#v }, { k, v }, { position: 0 });
    });
    tf.dispose(old);
  }
}

/** The sequences of a batch in another order; the caller owns them. */
export function reordered({ k, v }: KeysValues, order: readonly number[]): KeysValues {
  return { k: kept(() => inOrder(k, order)), v: kept(() => inOrder(v, order)) };
}

const inOrder = (x: tf.Tensor, order: readonly number[]): tf.Tensor =>
  tf.gather(x, tf.tensor1d([...order], 'int32'));

/** Rows with zeros behind them: `[B, Hkv, T, Dh]`, T at least `length`. */
export const padded = (x: tf.Tensor, length: number): tf.Tensor => {
  const lacking = length - x.shape[2]!;
  return lacking > 0
    ? tf.pad(x, [
        [0, 0],
        [0, 0],
        [0, lacking],
        [0, 0],
      ])
    : x;
};

/** Room for some tokens of a sequence: what doubling leads to. */
const roomFor = (tokens: number) => Math.max(leastRoom, 2 ** Math.ceil(Math.log2(tokens)));
