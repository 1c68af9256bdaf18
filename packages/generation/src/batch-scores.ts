import {
  type Encoded,
  type EncoderDecoderModel,
  isEncoderDecoder,
  type LanguageModel,
} from '@headwise/core';
import { type CacheStorage, KeyValueCache } from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';
import { lastScores, padded } from './last-scores.js';
import { guided } from './processors/guidance.js';

/** A model that generates: a decoder, or an encoder and a decoder, whose prompts are the encoder's. */
export type Generator = LanguageModel | EncoderDecoderModel;

/** A model's scores of the next tokens of a batch of sequences, with the keys and values of the tokens before. */
export interface BatchScores {
  /**
   * Scores after one more token of each sequence.
   *
   * @param ids one of each sequence; none in the first call, for the scores after the prompts
   * @returns `[N, V]`, the caller's
   */
  after(ids?: readonly number[]): tf.Tensor2D;
  /** Takes sequence `order[n]` for the n-th from now on; the batch may grow or shrink. */
  reorder(order: readonly number[]): void;
  /** Frees the keys and values. */
  dispose(): void;
}

/** The scores of a model after prompts of any lengths. */
export function batchScoresOf(
  network: Generator,
  prompts: readonly (readonly number[])[],
  storage: CacheStorage,
): BatchScores {
  return isEncoderDecoder(network)
    ? new EncodedScores(network, prompts, storage)
    : new DecoderScores(network, prompts, storage);
}

const column = (ids: readonly number[]): tf.Tensor2D =>
  tf.tensor2d([...ids], [ids.length, 1], 'int32');

/** Scores of a decoder; prompts are padded at the end, and the cache knows the length of each. */
class DecoderScores implements BatchScores {
  readonly #network: LanguageModel;
  readonly #prompts: readonly (readonly number[])[];
  readonly #cache: KeyValueCache;

  constructor(
    network: LanguageModel,
    prompts: readonly (readonly number[])[],
    storage: CacheStorage,
  ) {
    this.#network = network;
    this.#prompts = prompts;
    this.#cache = new KeyValueCache({ storage });
  }

  after(given?: readonly number[]): tf.Tensor2D {
    const cache = this.#cache;
    return tf.tidy(() => {
      if (given) return lastScores(this.#network, column(given), { cache });
      const { ids, lengths } = padded(this.#prompts);
      return lastScores(this.#network, ids, { cache, lengths }, lengths);
    });
  }

  reorder(order: readonly number[]): void {
    this.#cache.reorder(order);
  }

  dispose(): void {
    this.#cache.dispose();
  }
}

/** Scores of a decoder that reads encoded prompts. */
class EncodedScores implements BatchScores {
  readonly #network: EncoderDecoderModel;
  readonly #cache: KeyValueCache;
  #encoded: Encoded;

  constructor(
    network: EncoderDecoderModel,
    prompts: readonly (readonly number[])[],
    storage: CacheStorage,
  ) {
    this.#network = network;
    this.#cache = new KeyValueCache({ storage });
    this.#encoded = tf.tidy(() => {
      const { ids, lengths } = padded(prompts);
      const mask = prompts.map((_, n) =>
        Array.from({ length: ids.shape[1] }, (_, t) => Number(t < lengths[n]!)),
      );
      const attentionMask = tf.keep(tf.tensor2d(mask, ids.shape, 'int32'));
      return { states: tf.keep(network.encode(ids, { attentionMask }).states), attentionMask };
    });
  }

  after(given?: readonly number[]): tf.Tensor2D {
    const { startId } = this.#network;
    const [count] = this.#encoded.states.shape as [number];
    return tf.tidy(() => {
      const ids = column(given ?? Array<number>(count).fill(startId));
      return this.#network
        .decode(ids, this.#encoded, { cache: this.#cache })
        .squeeze<tf.Tensor2D>([1]);
    });
  }

  reorder(order: readonly number[]): void {
    this.#cache.reorder(order);
    const before = this.#encoded;
    this.#encoded = tf.tidy(() => {
      const index = tf.tensor1d([...order], 'int32');
      return {
        states: tf.keep(tf.gather(before.states, index)),
        attentionMask: tf.keep(tf.gather(before.attentionMask!, index)),
      };
    });
    tf.dispose([before.states, before.attentionMask!]);
  }

  dispose(): void {
    this.#cache.dispose();
    tf.dispose([this.#encoded.states, this.#encoded.attentionMask!]);
  }
}

/** Scores under classifier-free guidance, a scale for each sequence; 1 leaves its scores as they are. */
export class GuidedBatch implements BatchScores {
  readonly #scores: BatchScores;
  readonly #unconditional: BatchScores;
  #scales: readonly number[];

  /** @param scores with the prompts, and `unconditional` with the negative ones; both disposed with this */
  constructor(scores: BatchScores, unconditional: BatchScores, scales: readonly number[]) {
    this.#scores = scores;
    this.#unconditional = unconditional;
    this.#scales = scales;
  }

  after(ids?: readonly number[]): tf.Tensor2D {
    return tf.tidy(() => {
      const scales = tf.tensor2d([...this.#scales], [this.#scales.length, 1]);
      const scores = this.#scores.after(ids);
      const led = guided(scores, this.#unconditional.after(ids), scales);
      // Guided scores are log-probabilities; those of the other sequences stay logits, which penalties act on.
      return tf.where(scales.equal(1), scores, led) as tf.Tensor2D;
    });
  }

  reorder(order: readonly number[]): void {
    this.#scores.reorder(order);
    this.#unconditional.reorder(order);
    this.#scales = order.map((n) => this.#scales[n]!);
  }

  dispose(): void {
    this.#scores.dispose();
    this.#unconditional.dispose();
  }
}
