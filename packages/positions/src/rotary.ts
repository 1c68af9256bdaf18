import { checkShape, InputError } from '@headwise/core';
import { gatherRows, type RotaryLayout, type RotaryTables, rotary } from '@headwise/kernels';
import { checkIds, knownValues } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { positionsInDocuments } from './documents.js';
import type { AttentionPosition, Placed, Placement, Span } from './position.js';
import {
  type Frequencies,
  lengthOfFrequencies,
  type RotaryScaling,
  rotaryFrequencies,
} from './rotary-scaling.js';

export interface RotaryPositionOptions {
  /** `Dh`, the width of a head. */
  headDim: number;
  /** `R`, how many of a head's first channels turn; default all. */
  rotaryDim?: number | undefined;
  /** Default 10,000. */
  base?: number | undefined;
  /** Which channels turn together; default `half-split`, as in Hugging Face's LLaMA. */
  layout?: RotaryLayout | undefined;
  scaling?: RotaryScaling | undefined;
  /** The trained length, where the scaling rule needs it. */
  maxLength?: number | undefined;
}

/** A table has a frequency for each pair of channels. */
const maxDim = 2 ** 16;

/** Positions that a table may have: a bound, as it grows to the last one that is given. */
const mostPositions = 2 ** 20;

/** Rows of a table that are computed at once. */
const step = 128;

/**
 * Rotary positions: turns pairs of channels of queries and keys by angles `t · base^(−2i/R)`, so that
 * their products depend on the distance of the tokens alone; in packed documents as well, where they turn by the place in the row.
 *
 * `(y_a, y_b) = (x_a cos θ − x_b sin θ, x_b cos θ + x_a sin θ)`. It has no parameters.
 *
 * @see Su et al. 2021, https://arxiv.org/abs/2104.09864
 */
export class RotaryPosition implements AttentionPosition {
  readonly name = 'rotary';
  readonly needsProduct = true;
  readonly #options: RotaryPositionOptions;
  readonly #rotaryDim: number;
  readonly #layout: RotaryLayout;
  /** Those of the last call, by the length that their frequencies are for. */
  #tables: ReadonlyMap<number, Tables>;

  /** @throws InputError where `rotaryDim` is odd or beyond `headDim`, or the scaling rule cannot be used */
  constructor(options: RotaryPositionOptions) {
    const { headDim, rotaryDim = headDim } = options;
    if (rotaryDim > maxDim) {
      throw new InputError(`rotary: rotaryDim is ${rotaryDim}; expected at most ${maxDim}`);
    }
    if (!(rotaryDim > 0 && rotaryDim % 2 === 0 && rotaryDim <= headDim)) {
      throw new InputError(
        `rotary: rotaryDim is ${rotaryDim}; expected an even number up to the head's width of ${headDim}`,
      );
    }
    this.#options = options;
    this.#rotaryDim = rotaryDim;
    this.#layout = options.layout ?? 'half-split';
    this.#tables = new Map([[0, new Tables(this.#frequencies(0))]]);
  }

  /** @returns both, turned; the last new key stands where the last query does */
  apply(q: tf.Tensor, k: tf.Tensor, at: Span): Placed {
    return tf.tidy(() => {
      const [queries, added] = [q.shape[2]!, k.shape[2]!];
      const ofQueries = this.place(q.shape, k.shape, at).turn;
      const ofKeys = queries === added ? ofQueries : this.#rows(at, added, added - queries, added);
      const turned = (x: tf.Tensor, { cos, sin }: Pick<RotaryTables, 'cos' | 'sin'>) =>
        rotary(x, cos, sin, this.#layout);
      return { q: turned(q, ofQueries), k: turned(k, ofKeys) };
    });
  }

  /** @returns the tables of the queries' tokens */
  place(q: readonly number[], k: readonly number[], at: Span): Placement & { turn: RotaryTables } {
    const { keys, positions } = at;
    const { headDim } = this.#options;
    checkShape('rotary: q', q, ['B', 'H', 'T', headDim]);
    checkShape('rotary: k', k, [q[0]!, 'Hkv', 'T', headDim]);
    if (!positions) return { turn: { ...this.#rows(at, k[2]!, 0, q[2]!), layout: this.#layout } };
    const [tables] = this.#tablesFor([this.#longest(at)]);
    const rows = tables!.rowsAt(checked(positions, q, k), keys);
    return { turn: { ...rows, layout: this.#layout } };
  }

  /** Rows for `count` tokens from those that stand `back` places before the new queries; `added` keys are new. */
  #rows(at: Span, added: number, back: number, count: number): Record<'cos' | 'sin', tf.Tensor> {
    const { start, starts = [] } = at;
    const level = starts.every((from) => from === starts[0]);
    const positions = (level ? [start] : starts).map((from) => from - back);
    return rowsOf(this.#tablesFor(this.#lengths(at, added)), positions, count);
  }

  /** The number of tokens that a scaling rule takes for the sequence's: those of the longest document, where several share a row. */
  #longest({ documents, keys }: Span): number {
    if (!documents || !this.#options.scaling) return keys;
    const positions = positionsInDocuments(documents);
    const longest = Array.from(knownValues(positions)!).reduce(
      (most, t) => Math.max(most, t + 1),
      0,
    );
    positions.dispose();
    return longest;
  }

  /** The number of tokens of each sequence, padding left out; one for all, where they are the same or the scaling rule takes none. */
  #lengths(at: Span, added: number): readonly number[] {
    const { keys, lengths, documents } = at;
    const starts = at.starts ?? [];
    if (!this.#options.scaling || documents || (!lengths && starts.length === 0)) {
      return [this.#longest(at)];
    }
    const batch = Math.max(starts.length, lengths?.length ?? 0);
    return Array.from(
      { length: batch },
      (_, b) => (starts[b] ?? keys - added) + (lengths?.[b] ?? added),
    );
  }

  /** Tables for sequences of some lengths, one for all where their frequencies are the same. */
  #tablesFor(sequences: readonly number[]): readonly Tables[] {
    const { scaling, maxLength } = this.#options;
    const lengths = sequences.map((keys) => lengthOfFrequencies(scaling, keys, maxLength));
    const distinct = [...new Set(lengths)];
    const before = this.#tables;
    if (distinct.length !== before.size || distinct.some((length) => !before.has(length))) {
      this.#tables = new Map(
        distinct.map((length) => [
          length,
          before.get(length) ?? new Tables(this.#frequencies(length)),
        ]),
      );
    }
    const tables = this.#tables;
    return distinct.length === 1
      ? [...tables.values()]
      : lengths.map((length) => tables.get(length)!);
  }

  #frequencies(length: number): Frequencies {
    const { base = 10_000, scaling, maxLength } = this.#options;
    return rotaryFrequencies({ rotaryDim: this.#rotaryDim, base, maxLength }, scaling, length);
  }
}

/**
 * Cosines and sines of tokens that come one by one, row-major `[count, R / 2]`: where a scaling rule depends on the length
 * of the sequence, the row of position t is that of `t + 1` tokens.
 */
export function rotaryTable(
  { headDim, rotaryDim = headDim, base = 10_000, scaling, maxLength }: RotaryPositionOptions,
  count: number,
): { cos: Float32Array; sin: Float32Array; pairs: number } {
  const pairs = rotaryDim / 2;
  const [cos, sin] = [new Float32Array(count * pairs), new Float32Array(count * pairs)];
  let length = -1;
  let rule: Frequencies = { frequencies: new Float64Array(), attentionFactor: 1 };
  for (let t = 0; t < count; t++) {
    const needed = lengthOfFrequencies(scaling, t + 1, maxLength);
    if (needed !== length) {
      length = needed;
      rule = rotaryFrequencies({ rotaryDim, base, maxLength }, scaling, length);
    }
    for (let i = 0; i < pairs; i++) {
      const angle = t * rule.frequencies[i]!;
      cos[t * pairs + i] = rule.attentionFactor * Math.cos(angle);
      sin[t * pairs + i] = rule.attentionFactor * Math.sin(angle);
    }
  }
  return { cos, sin, pairs };
}

/**
 * Rows for `count` positions from a start on, `[count, R / 2]`; of several sequences `[B, count, R / 2]`.
 *
 * @param tables one for all sequences, or one for each
 * @param starts the same
 */
function rowsOf(
  tables: readonly Tables[],
  starts: readonly number[],
  count: number,
): Record<'cos' | 'sin', tf.Tensor> {
  const sequences = Math.max(tables.length, starts.length);
  const rows = Array.from({ length: sequences }, (_, b) =>
    (tables[b] ?? tables[0]!).rows(starts[b] ?? starts[0]!, count),
  );
  const { pairs } = tables[0]!;
  const own = count * pairs;
  const shape = sequences > 1 ? [sequences, count, pairs] : [count, pairs];
  const joined = (which: 'cos' | 'sin') => {
    const values = new Float32Array(sequences * own);
    for (const [b, of] of rows.entries()) values.set(of[which], b * own);
    return tf.tensor(values, shape);
  };
  return { cos: joined('cos'), sin: joined('sin') };
}

/** The positions that a context gives, if they are one for each new token. */
function checked(given: tf.Tensor, q: readonly number[], k: readonly number[]): tf.Tensor {
  checkShape('positions', given.shape, [q[0]!, q[2]!]);
  if (k[2] === q[2]) return given;
  throw new InputError(`rotary: positions of ${q[2]} queries for ${k[2]} keys`);
}

/** Cosines and sines of positions from 0 on, `[positions, R / 2]`, made as they are asked for. */
class Tables {
  readonly #frequencies: Float64Array;
  readonly #factor: number;
  #cos: Float32Array = new Float32Array();
  #sin: Float32Array = new Float32Array();

  constructor({ frequencies, attentionFactor }: Frequencies) {
    this.#frequencies = frequencies;
    this.#factor = attentionFactor;
  }

  /** `R / 2` */
  get pairs(): number {
    return this.#frequencies.length;
  }

  /** Rows for `count` positions from a start on, `[count, R / 2]`, until the table grows. */
  rows(start: number, count: number): Record<'cos' | 'sin', Float32Array> {
    const pairs = this.#frequencies.length;
    const end = start + count;
    if (end * pairs > this.#cos.length) this.#grow(end);
    const part = (table: Float32Array) => table.subarray(start * pairs, end * pairs);
    return { cos: part(this.#cos), sin: part(this.#sin) };
  }

  /**
   * Rows for the position of each token, `[B, T, R / 2]`; `[T, R / 2]` for one sequence.
   *
   * @param positions `[B, T]`, int32, which may be on the device only
   * @param least positions that the table has, at least
   */
  rowsAt(positions: tf.Tensor, least: number): Record<'cos' | 'sin', tf.Tensor> {
    const pairs = this.#frequencies.length;
    const known = Array.from(knownValues(positions) ?? []);
    const end = known.reduce((most, t) => Math.max(most, t + 1), least);
    // Not all rows that there are: the operations would depend on the calls before.
    const count = Math.min(Math.ceil(end / step) * step, mostPositions);
    if (count * pairs > this.#cos.length) this.#grow(count);
    checkIds(positions, { name: 'position', count, of: `the ${count} rotary positions` });
    const [batch, tokens] = positions.shape as [number, number];
    const shape = batch > 1 ? [batch, tokens, pairs] : [tokens, pairs];
    const rows = (table: Float32Array) =>
      gatherRows(
        tf.tensor2d(table.subarray(0, count * pairs), [count, pairs]),
        positions,
        'trusted',
      ).reshape(shape);
    return { cos: rows(this.#cos), sin: rows(this.#sin) };
  }

  #grow(positions: number): void {
    const pairs = this.#frequencies.length;
    const known = this.#cos.length / pairs;
    const length = Math.max(2 * known, Math.ceil(positions / step) * step);
    const [cos, sin] = [new Float32Array(length * pairs), new Float32Array(length * pairs)];
    cos.set(this.#cos);
    sin.set(this.#sin);
    for (let t = known; t < length; t++) {
      for (let i = 0; i < pairs; i++) {
        const angle = t * this.#frequencies[i]!;
        cos[t * pairs + i] = this.#factor * Math.cos(angle);
        sin[t * pairs + i] = this.#factor * Math.sin(angle);
      }
    }
    this.#cos = cos;
    this.#sin = sin;
  }
}
