import type * as tf from '@tensorflow/tfjs';
import type { ForwardContext } from './layer.js';
import type { PackedParam } from './matrix.js';

/** What an output head of one matrix makes scores with: `s = hidden Wᵀ + b`, or `c tanh(s / c)` under a soft-cap `c`. */
export interface HeadMatrix {
  /** `[V, D]`, in the form that it is kept in now. */
  readonly weight: tf.Tensor2D | PackedParam;
  /** `[V]` or `[1, V]`; default none. */
  readonly bias?: tf.Tensor | undefined;
  /** The soft-cap of the scores; default none. */
  readonly softCap?: number | undefined;
}

/** An output head that is one matrix. */
export interface MatrixHead extends HeadMatrix {
  /** Path of the output head in the model's `ParamStore`; absent where the scores are products with the embeddings. */
  readonly path?: string | undefined;
  /**
   * What the scores are products with.
   *
   * @param ids `[B, T]`, int32
   * @returns `[B, T, D]`
   */
  hidden(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor;
}

/** A decoder-only model: logits of the next token at every position. */
export interface LanguageModel {
  /** `V`: ids are in [0, V). */
  readonly vocabSize: number;
  /** The largest number of tokens that one sequence may have, those in the cache included. */
  readonly maxLength: number;
  /** Where there is one, a loss needs not hold all scores at once. */
  readonly head?: MatrixHead | undefined;
  /**
   * The tokens of a sequence up to which keys do not depend on how many tokens follow; default any number. Keys of longer sequences,
   * under dynamic NTK and LongRoPE, are those of their length alone.
   */
  readonly steadyLength?: number | undefined;
  /** Of a mixture of experts whose balance its losses count: `active` experts a token, and the factor of the balance. */
  readonly routing?: { readonly active: number; readonly balance: number } | undefined;
  /**
   * Scores of the next token at every position.
   *
   * @param ids `[B, T]`, int32
   * @returns logits `[B, T, V]`
   * @throws InputError naming the first id outside the vocabulary, before anything is computed; for ids that only a
   * GPU has, the next `readTensor` throws it. ShapeError beyond `maxLength`
   */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor;
  /**
   * The model of its first layers, with its own last norm and head; it shares the parameters.
   *
   * @param count fewer than there are, at least 1
   * @throws InputError for another count
   */
  firstLayers?(count: number): LanguageModel;
  /**
   * What its parameters hold now: equal, element by element, as long as none of them, nor an adapter, has changed. Keys and values that
   * outlive a call are valid as long.
   */
  parameterState?(): readonly unknown[];
}
