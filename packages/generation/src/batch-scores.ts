import {
  type Encoded,
  type EncoderDecoderModel,
  type ForwardContext,
  isEncoderDecoder,
  type LanguageModel,
} from '@headwise/core';
import { paddedRows } from '@headwise/core/internal';
import {
  type CacheStorage,
  KeyValueCache,
  lastRows,
  lastScores,
  stepPlanOf,
} from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';
import type { BatchScores } from './next-scores.js';
import { prefilled } from './prefix-cache/prefill.js';
import type { PrefixCache } from './prefix-cache/prefix-cache.js';
import { StepRows } from './step-rows.js';

/** A model that generates: a decoder, or an encoder and a decoder, whose prompts are the encoder's. */
export type Generator = LanguageModel | EncoderDecoderModel;

/**
 * The scores of a model for an empty batch: by its fused step where it has one, else by its layers.
 *
 * @param options `tap` is called by the decoder of an encoder-decoder; `prefixCache` is for a decoder alone
 */
export function batchScoresOf(
  network: Generator,
  storage: CacheStorage,
  {
    tap,
    prefixCache,
  }: { tap?: ForwardContext['tap'] | undefined; prefixCache?: PrefixCache | undefined } = {},
): BatchScores {
  if (isEncoderDecoder(network)) return new EncodedScores(network, storage, tap);
  const plan = stepPlanOf(network);
  return plan
    ? new StepRows(network, plan, storage, prefixCache)
    : new DecoderScores(network, storage, prefixCache);
}

const column = (ids: readonly number[]): tf.Tensor2D =>
  tf.tensor2d([...ids], [ids.length, 1], 'int32');

/** The scores of the sequences that go on and of those that join. */
const joinedRows = (...parts: (tf.Tensor2D | undefined)[]): tf.Tensor2D =>
  tf.concat(parts.filter((part) => part !== undefined));

/** Keys and values of a batch, which sequences join and leave. */
class BatchCache {
  readonly #storage: CacheStorage;
  #cache: KeyValueCache | undefined;

  constructor(storage: CacheStorage) {
    this.#storage = storage;
  }

  get cache(): KeyValueCache {
    this.#cache ??= new KeyValueCache({ storage: this.#storage });
    return this.#cache;
  }

  /** @param process puts the tokens of the joining sequences into their cache */
  join<T>(process: (cache: KeyValueCache) => T): T {
    const joining = new KeyValueCache({ storage: this.#storage });
    try {
      const made = process(joining);
      this.cache.join(joining);
      return made;
    } catch (error) {
      joining.dispose();
      throw error;
    }
  }

  reorder(order: readonly number[]): void {
    if (order.length > 0) this.#cache?.reorder(order);
    else this.dispose();
  }

  dispose(): void {
    this.#cache?.dispose();
    this.#cache = undefined;
  }
}

/** Scores of a decoder; prompts are padded at the end, and the cache knows the length of each. */
class DecoderScores implements BatchScores {
  readonly #network: LanguageModel;
  readonly #prefixCache: PrefixCache | undefined;
  readonly #cache: BatchCache;

  constructor(network: LanguageModel, storage: CacheStorage, prefixCache: PrefixCache | undefined) {
    this.#network = network;
    this.#prefixCache = prefixCache;
    this.#cache = new BatchCache(storage);
  }

  after(given: readonly number[], joining: readonly (readonly number[])[] = []): tf.Tensor2D {
    return tf.tidy(() => {
      const going =
        given.length > 0
          ? lastScores(this.#network, column(given), { cache: this.#cache.cache })
          : undefined;
      if (joining.length === 0) return joinedRows(going);
      const run = (sequences: readonly (readonly number[])[], cache: KeyValueCache) => {
        const { ids, lengths } = paddedRows(sequences);
        return lastScores(this.#network, ids, { cache, lengths }, lengths);
      };
      const joined = this.#cache.join((cache) =>
        prefilled(this.#prefixCache, this.#network, joining, cache, run),
      );
      return joinedRows(going, joined);
    });
  }

  reorder(order: readonly number[]): void {
    this.#cache.reorder(order);
  }

  dispose(): void {
    this.#cache.dispose();
  }
}

/** Prompts of any lengths as an encoder reads them: states and mask. */
export function encodedPrompts(
  network: EncoderDecoderModel,
  prompts: readonly (readonly number[])[],
): Encoded {
  return tf.tidy(() => {
    const { ids, lengths } = paddedRows(prompts);
    const mask = lengths.map((length) =>
      Array.from({ length: ids.shape[1] }, (_, t) => Number(t < length)),
    );
    const { states, attentionMask } = network.encode(ids, {
      attentionMask: tf.tensor2d(mask, ids.shape, 'int32'),
    });
    const [batch, length] = states.shape as [number, number];
    return { states, attentionMask: attentionMask ?? tf.ones([batch, length], 'int32') };
  });
}

/** Scores of a decoder that reads encoded prompts. */
class EncodedScores implements BatchScores {
  readonly #network: EncoderDecoderModel;
  readonly #cache: BatchCache;
  readonly #tap: ForwardContext['tap'];
  #encoded: Encoded | undefined;

  constructor(network: EncoderDecoderModel, storage: CacheStorage, tap: ForwardContext['tap']) {
    this.#network = network;
    this.#cache = new BatchCache(storage);
    this.#tap = tap;
  }

  after(
    given: readonly number[],
    joining: readonly (readonly number[])[] = [],
    starts: readonly (readonly number[])[] = joining.map(() => [this.#network.startId]),
  ): tf.Tensor2D {
    return tf.tidy(() => {
      const next = given.map((id) => [id]);
      const going =
        given.length > 0 ? this.#decode(next, this.#encoded!, this.#cache.cache) : undefined;
      if (joining.length === 0) return joinedRows(going);
      const encoded = encodedPrompts(this.#network, joining);
      const joined = this.#cache.join((cache) => this.#decode(starts, encoded, cache));
      this.#replace(this.#encoded ? joinedEncoded(this.#encoded, encoded) : encoded);
      return joinedRows(going, joined);
    });
  }

  /** The scores after the last of some tokens of each sequence. */
  #decode(
    tokens: readonly (readonly number[])[],
    encoded: Encoded,
    cache: KeyValueCache,
  ): tf.Tensor2D {
    const { ids, lengths } = paddedRows(tokens);
    const ctx = { cache, lengths, ...(this.#tap ? { tap: this.#tap } : {}) };
    return lastRows(this.#network.decode(ids, encoded, ctx), lengths);
  }

  reorder(order: readonly number[]): void {
    this.#cache.reorder(order);
    const before = this.#encoded;
    if (!before) return;
    tf.tidy(() => {
      if (order.length === 0) {
        this.#replace(undefined);
        return;
      }
      const index = tf.tensor1d([...order], 'int32');
      this.#replace({
        states: tf.gather(before.states, index),
        attentionMask: tf.gather(before.attentionMask!, index),
      });
    });
  }

  dispose(): void {
    this.#cache.dispose();
    this.#replace(undefined);
  }

  /** Keeps other encoded prompts, and frees those before. */
  #replace(encoded: Encoded | undefined): void {
    if (this.#encoded) tf.dispose([this.#encoded.states, this.#encoded.attentionMask!]);
    if (encoded) {
      tf.keep(encoded.states);
      tf.keep(encoded.attentionMask!);
    }
    this.#encoded = encoded;
  }
}

/** Encoded prompts behind others, the shorter ones padded. */
function joinedEncoded(first: Encoded, second: Encoded): Encoded {
  const both = [first, second];
  const length = Math.max(...both.map(({ states }) => states.shape[1]!));
  const pad = (x: tf.Tensor) => {
    const lacking = length - x.shape[1]!;
    const widths: [number, number][] = x.shape.map((_, axis) => [0, axis === 1 ? lacking : 0]);
    return lacking > 0 ? tf.pad(x, widths) : x;
  };
  return {
    states: tf.concat(both.map(({ states }) => pad(states))),
    attentionMask: tf.concat(both.map(({ attentionMask }) => pad(attentionMask!))),
  };
}
