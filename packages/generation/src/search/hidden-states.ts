import {
  type EncoderDecoderModel,
  InputError,
  isEncoderDecoder,
  type MatrixHead,
} from '@headwise/core';
import { paddedRows } from '@headwise/core/internal';
import { type CacheStorage, KeyValueCache } from '@headwise/decoding';
import { headMatrix, headScores } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { batchScoresOf, type Generator } from '../batch-scores.js';
import type { BatchScores } from '../next-scores.js';

/** The last hidden states of a batch of sequences, and the scores of the tokens after them. */
export interface HiddenStates {
  /** Reads what the sequences begin with. @returns hidden states of each one's tokens, `[T, D]` */
  begin(prompts: readonly (readonly number[])[]): tf.Tensor2D[];
  /** Reads one more token of each. @returns `[N, D]` */
  after(ids: readonly number[]): tf.Tensor2D;
  /** Scores after the tokens that were read last. @param rows of some of them @param hidden theirs @returns `[N, V]` */
  scores(rows: readonly number[], hidden: tf.Tensor2D): tf.Tensor2D;
  /** Takes sequence `order[n]` for the n-th from now on. */
  reorder(order: readonly number[]): void;
  dispose(): void;
}

/** @throws InputError for a decoder whose head is not one matrix */
export function hiddenStatesOf(network: Generator, storage: CacheStorage): HiddenStates {
  if (isEncoderDecoder(network)) return new EncodedStates(network, storage);
  if (network.head && headMatrix(network.head)) return new DecoderStates(network.head, storage);
  throw new InputError('contrastiveSearch: the model has no head of one matrix; expected one');
}

/** Of a decoder: only the states that are chosen are multiplied with the head. */
class DecoderStates implements HiddenStates {
  readonly #head: MatrixHead;
  readonly #cache: KeyValueCache;

  constructor(head: MatrixHead, storage: CacheStorage) {
    this.#head = head;
    this.#cache = new KeyValueCache({ storage });
  }

  begin(prompts: readonly (readonly number[])[]): tf.Tensor2D[] {
    return tf.tidy(() => {
      const { ids, lengths } = paddedRows(prompts);
      const all = this.#head.hidden(ids, { cache: this.#cache, lengths }); // [N, T, D]
      return lengths.map((length, n) =>
        all.slice([n, 0, 0], [1, length, -1]).reshape<tf.Tensor2D>([length, -1]),
      );
    });
  }

  after(ids: readonly number[]): tf.Tensor2D {
    return tf.tidy(() =>
      this.#head
        .hidden(tf.tensor2d([...ids], [ids.length, 1], 'int32'), { cache: this.#cache })
        .squeeze<tf.Tensor2D>([1]),
    );
  }

  scores(_rows: readonly number[], hidden: tf.Tensor2D): tf.Tensor2D {
    return headScores(hidden, headMatrix(this.#head)!);
  }

  reorder(order: readonly number[]): void {
    this.#cache.reorder(order);
  }

  dispose(): void {
    this.#cache.dispose();
  }
}

/** Of a decoder that reads encoded prompts: its tap `decoder.final` gives the states, beside the scores. */
class EncodedStates implements HiddenStates {
  readonly #scores: BatchScores;
  #hidden: tf.Tensor2D | undefined;
  #logits: tf.Tensor2D | undefined;

  constructor(network: EncoderDecoderModel, storage: CacheStorage) {
    const tap = (_name: string, value: tf.Tensor) => {
      this.#hidden = tf.keep(value.squeeze<tf.Tensor2D>([1]));
    };
    const wants = (name: string) => name === 'decoder.final';
    this.#scores = batchScoresOf(network, storage, { tap: Object.assign(tap, { wants }) });
  }

  begin(prompts: readonly (readonly number[])[]): tf.Tensor2D[] {
    const hidden = this.#read(() => this.#scores.after([], prompts));
    const rows = tf.tidy(() => prompts.map((_, n) => hidden.slice([n, 0], [1, -1])));
    hidden.dispose();
    return rows;
  }

  after(ids: readonly number[]): tf.Tensor2D {
    return this.#read(() => this.#scores.after(ids));
  }

  scores(rows: readonly number[]): tf.Tensor2D {
    return tf.tidy(() => tf.gather(this.#logits!, tf.tensor1d([...rows], 'int32')));
  }

  reorder(order: readonly number[]): void {
    this.#scores.reorder(order);
  }

  dispose(): void {
    this.#scores.dispose();
    this.#logits?.dispose();
  }

  #read(scores: () => tf.Tensor2D): tf.Tensor2D {
    this.#logits?.dispose();
    this.#logits = scores();
    const hidden = this.#hidden;
    this.#hidden = undefined;
    if (hidden) return hidden;
    throw new InputError(
      "contrastiveSearch: the model's tap 'decoder.final' was not called; expected hidden states of the decoder",
    );
  }
}
