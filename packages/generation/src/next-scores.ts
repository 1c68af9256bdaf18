import type * as tf from '@tensorflow/tfjs';
import { guided } from './processors/guidance.js';

/** A model's scores of the token after a sequence, with the keys and values of the tokens before. */
export interface NextScores {
  /**
   * @param sequence prompt and new tokens: what it was at the last call, and what came after
   * @returns `[1, V]`, which the next call disposes or overwrites
   */
  after(sequence: readonly number[]): tf.Tensor2D;
  /** Frees the keys and values. */
  dispose(): void;
}

/** A model's scores of the next tokens of a batch of sequences, with the keys and values of the tokens before. */
export interface BatchScores {
  /**
   * Scores after one more token of each sequence, and after the prompts of sequences that join behind them.
   *
   * @param ids one of each sequence that is in the batch
   * @param joining prompts of any lengths; default none
   * @param starts what the output of each begins with, for encoder-decoders; default the model's `startId`
   * @returns `[N, V]`, the caller's
   */
  after(
    ids: readonly number[],
    joining?: readonly (readonly number[])[],
    starts?: readonly (readonly number[])[],
  ): tf.Tensor2D;
  /** Takes sequence `order[n]` for the n-th from now on; the batch may grow or shrink, to nothing too. */
  reorder(order: readonly number[]): void;
  /** Frees the keys and values. */
  dispose(): void;
}

/** Scores after several tokens in one pass; drafted tokens that are rejected are removed from the cache. */
export interface CheckedScores extends NextScores {
  /**
   * The scores after each of the last tokens of a sequence.
   *
   * @param count the number of those tokens; `room` was asked for them
   * @returns `[count, V]`, which the next call disposes or overwrites
   */
  afterEach(sequence: readonly number[], count: number): tf.Tensor2D;
  /** The number of tokens that the sequence may grow by before the oldest leave the context. */
  room(sequence: readonly number[]): number;
  /** Forgets what came after the first `length` tokens of the sequence. */
  keep(length: number): void;
}

/** Scores under classifier-free guidance. */
export class GuidedScores implements NextScores {
  readonly #scores: NextScores;
  readonly #unconditional: NextScores;
  readonly #scale: number;
  readonly #negative: readonly number[];
  readonly #promptLength: number;
  #guided: tf.Tensor2D | undefined;

  /**
   * @param scores with the prompt, and `unconditional` with the negative one; both disposed with this
   * @param guidance the scale and the negative prompt
   */
  constructor(
    scores: NextScores,
    unconditional: NextScores,
    guidance: { scale: number; prompt: readonly number[] },
    promptLength: number,
  ) {
    this.#scores = scores;
    this.#unconditional = unconditional;
    this.#scale = guidance.scale;
    this.#negative = guidance.prompt;
    this.#promptLength = promptLength;
  }

  after(sequence: readonly number[]): tf.Tensor2D {
    const made = sequence.slice(this.#promptLength);
    const unconditional = this.#unconditional.after([...this.#negative, ...made]);
    this.#guided?.dispose();
    this.#guided = guided(this.#scores.after(sequence), unconditional, this.#scale);
    return this.#guided;
  }

  dispose(): void {
    this.#guided?.dispose();
    this.#scores.dispose();
    this.#unconditional.dispose();
  }
}
