import type * as tf from '@tensorflow/tfjs';
import type { LanguageModel, MatrixHead } from './language-model.js';
import type { ForwardContext } from './layer.js';

/** Inputs of an encoder besides token ids. */
export interface EncoderContext extends ForwardContext {
  /** `[B, T]`, int32: the segment of each token, for models that tell segments apart; default 0. */
  tokenTypes?: tf.Tensor | undefined;
}

/** The size of the pictures that an encoder takes. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The size of the sounds that an encoder takes. */
export interface FramesSize {
  /** Frames of a sound. */
  readonly count: number;
  /** Values of a frame, such as log-mel features. */
  readonly channels: number;
}

/**
 * An encoder-only model: bidirectional attention, and the output of its head.
 *
 * `Outputs` names what the head gives, such as `{ logits }`.
 */
export interface EncoderModel<Outputs extends tf.NamedTensorMap = tf.NamedTensorMap> {
  /** `V`: ids are in [0, V). */
  readonly vocabSize: number;
  /** The largest number of tokens that one sequence may have. */
  readonly maxLength: number;
  /** Of an encoder of pictures, which are given in place of ids as `[B, height, width, channels]`, float32; `vocabSize` is then 0. */
  readonly pictures?: PictureSize | undefined;
  /** Of an encoder of sounds, which are given in place of ids as `[B, count, channels]`, float32; `vocabSize` is then 0. */
  readonly frames?: FramesSize | undefined;
  /**
   * The hidden states of the last layer.
   *
   * @param ids `[B, T]`, int32; `ctx.attentionMask` says which of them are padding
   * @returns `[B, T, D]`
   * @throws ShapeError beyond `maxLength`
   */
  encode(ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor;
  /** @param ids `[B, T]`, int32 @returns what the head gives, by name */
  forward(ids: tf.Tensor, ctx?: EncoderContext): Outputs;
  /**
   * What the head gives, with the scores of tokens at some positions alone: where few tokens are masked, most of the head's
   * work is spared. Absent where the head does not score tokens against the vocabulary.
   *
   * @param ids `[B, T]`, int32
   * @param positions `[N]`, int32, in [0, B · T)
   * @returns as `forward`, with `[N, V]` in place of `[B, T, V]`
   */
  forwardAt?:
    | ((ids: tf.Tensor, positions: tf.Tensor1D, ctx?: EncoderContext) => Outputs)
    | undefined;
}

/** The output of an encoder for a decoder: last hidden states and their padding mask. */
export interface Encoded {
  /** `[B, Tk, D]` */
  states: tf.Tensor;
  /** `[B, Tk]`, int32, 1 where there is a token; default all. */
  attentionMask?: tf.Tensor | undefined;
}

/** An output head of a decoder beside an encoder that is one matrix. */
export interface DecoderHead extends Omit<MatrixHead, 'hidden'> {
  /**
   * What the scores are products with.
   *
   * @param ids `[B, Tq]`, int32
   * @param encoded what `encode` gave
   * @returns `[B, Tq, D]`
   */
  hidden(ids: tf.Tensor, encoded: Encoded, ctx?: ForwardContext): tf.Tensor;
}

/** An encoder-decoder model: generates one sequence conditioned on another. */
export interface EncoderDecoderModel {
  /** `V`: ids are in [0, V). */
  readonly vocabSize: number;
  /** Where the source has a vocabulary of its own: its ids are in [0, `sourceVocabSize`). Default `vocabSize`. */
  readonly sourceVocabSize?: number | undefined;
  /** Of an encoder of pictures, which `encode` takes in place of ids as `[B, height, width, channels]`, float32; `sourceVocabSize` is then 0. */
  readonly pictures?: PictureSize | undefined;
  /** Of an encoder of sounds, which `encode` takes in place of ids as `[B, count, channels]`, float32; `sourceVocabSize` is then 0. */
  readonly frames?: FramesSize | undefined;
  /** D of the states `[B, Tk, D]`, float32, that `encode` takes in place of ids, where no encoder belongs to the model; `sourceVocabSize` is then 0. */
  readonly stateWidth?: number | undefined;
  /** The largest number of tokens that one sequence may have, on either side. */
  readonly maxLength: number;
  /** The id that every output sequence starts with. */
  readonly startId: number;
  /** Where there is one, a loss needs not hold all scores at once. */
  readonly head?: DecoderHead | undefined;
  /**
   * Reads the source; done once for any number of calls of `decode`.
   *
   * @param source ids `[B, Tk]`, int32; `ctx.attentionMask` says which of them are padding. Pictures, sounds or states, where it takes those
   */
  encode(source: tf.Tensor, ctx?: ForwardContext): Encoded;
  /**
   * Scores of the next token at every position of the output.
   *
   * @param ids `[B, Tq]`, int32, the tokens so far, those in `ctx.cache` left out
   * @param encoded what `encode` gave
   * @param ctx of the output: its `attentionMask` is that of `ids`
   * @returns logits `[B, Tq, V]`
   */
  decode(ids: tf.Tensor, encoded: Encoded, ctx?: ForwardContext): tf.Tensor;
}

/** A decoder-only, encoder-only or encoder-decoder model. */
export type Network = LanguageModel | EncoderModel | EncoderDecoderModel;

/** Whether a model has an encoder and a decoder. */
export function isEncoderDecoder(network: Network): network is EncoderDecoderModel {
  return 'decode' in network;
}

/** Whether a model is encoder-only. */
export function isEncoder(network: Network): network is EncoderModel {
  return 'encode' in network && !isEncoderDecoder(network);
}

/** Whether a model is decoder-only: scores of the next token from the tokens before it. */
export function isLanguageModel(network: Network): network is LanguageModel {
  return !('encode' in network);
}
