import {
  type EncoderContext,
  InputError,
  isEncoder,
  isEncoderDecoder,
  type Network,
  readTensor,
} from '@headwise/core';
import { lengthGroups } from '@headwise/core/internal';
import type { Tokenizer } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { type Pooling, pooled, poolings } from './pooling.js';

export interface EmbedOptions {
  /** How the hidden states of a text become one vector; default the model's own, or `'mean'`. */
  pooling?: Pooling | undefined;
  /** Divide each vector by its Euclidean length, so that dot products are cosines. Default false. */
  normalize?: boolean | undefined;
  /** Cut off what is beyond the model's context; default false: it is refused. */
  truncate?: boolean | undefined;
  /** Ends the work between two passes, with its reason as the error. */
  signal?: AbortSignal | undefined;
}

/** An encoder, or a decoder whose head is one matrix. */
export interface EmbeddingModel {
  readonly network: Network;
  /** The pooling that it was trained with; default `'mean'`. */
  readonly pooling?: Pooling | undefined;
}

/** Tokens of a pass at most, padding among them; a longer sequence has a pass of its own. */
const tokensAtOnce = 4096;

/**
 * One vector `[D]` for each text, pooled from the hidden states of the last layer.
 *
 * Texts of similar length are read in one pass; each gets the vector that it has alone. What `tokenizer.json` says about
 * truncation and padding is left aside.
 *
 * @param texts at least one; sequences of token ids are read as they are
 * @throws InputError for no texts, a text without tokens, one beyond the model's context, an unknown pooling, and a model
 * without hidden states to pool
 * @see Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084
 * @example
 * const model = encoderModel(await loadModel('models/all-MiniLM-L6-v2'));
 * const [a, b] = await embed(model, tokenizer, ['A cat sat.', 'A dog ran.'], { normalize: true });
 */
export async function embed(
  { network, pooling: own = 'mean' }: EmbeddingModel,
  tokenizer: Tokenizer,
  texts: readonly (string | readonly number[])[],
  { pooling = own, normalize = false, truncate = false, signal }: EmbedOptions = {},
): Promise<Float32Array[]> {
  if (!poolings.includes(pooling)) {
    throw new InputError(
      `pooling is '${pooling}'; expected one of ${poolings.map((name) => `'${name}'`).join(', ')}`,
    );
  }
  const hidden = hiddenStates(network);
  const sequences = embeddedIds({ network }, tokenizer, texts, { truncate });
  const vectors = new Array<Float32Array>(sequences.length);
  const lengthOf = (n: number) => sequences[n]!.length;
  for (const group of lengthGroups(sequences.keys(), lengthOf, tokensAtOnce)) {
    signal?.throwIfAborted();
    const rows = tf.tidy(() => {
      const { ids, attentionMask, lengths } = paddedRows(group.map((n) => sequences[n]!));
      const vectors = pooled(hidden(ids, { attentionMask }), attentionMask, lengths, pooling);
      return normalize ? vectors.div(vectors.norm('euclidean', -1, true).maximum(1e-12)) : vectors;
    });
    try {
      const values = Float32Array.from(await readTensor(rows));
      const dim = rows.shape[1]!;
      for (const [row, n] of group.entries()) vectors[n] = values.slice(row * dim, (row + 1) * dim);
    } finally {
      rows.dispose();
    }
  }
  return vectors;
}

/**
 * The tokens that `embed` reads of each text, special tokens among them.
 *
 * @throws InputError as `embed` does
 */
export function embeddedIds(
  { network: { maxLength } }: EmbeddingModel,
  tokenizer: Tokenizer,
  texts: readonly (string | readonly number[])[],
  { truncate = false }: Pick<EmbedOptions, 'truncate'> = {},
): (readonly number[])[] {
  if (texts.length === 0) throw new InputError('there is no text to embed; expected at least one');
  const truncation = truncate && Number.isFinite(maxLength) ? { maxLength } : null;
  return texts.map((text, n) => {
    const ids =
      typeof text === 'string'
        ? tokenizer.encode(text, { truncation, padding: null }).ids
        : text.slice(0, truncation?.maxLength);
    if (ids.length === 0) throw new InputError(`texts[${n}] has no tokens; expected at least one`);
    if (ids.length <= maxLength) return ids;
    throw new InputError(
      `texts[${n}] has ${ids.length} tokens; the model's context holds ${maxLength}: shorten it, or give truncate: true`,
    );
  });
}

function hiddenStates(network: Network): (ids: tf.Tensor, ctx: EncoderContext) => tf.Tensor {
  if (isEncoder(network)) return (ids, ctx) => network.encode(ids, ctx);
  if (isEncoderDecoder(network)) {
    throw new InputError('the model is an encoder-decoder; expected an encoder or a decoder');
  }
  const { head } = network;
  if (head) return (ids, ctx) => head.hidden(ids, ctx);
  throw new InputError(
    'the model gives scores of tokens alone; expected one with hidden states: an encoder, or a decoder with a head',
  );
}

/** Sequences as rows, with padding on the right; the first is the longest. */
function paddedRows(sequences: readonly (readonly number[])[]): {
  ids: tf.Tensor2D;
  attentionMask: tf.Tensor2D;
  lengths: number[];
} {
  const lengths = sequences.map(({ length }) => length);
  const shape: [number, number] = [sequences.length, lengths[0]!];
  const ids = new Int32Array(shape[0] * shape[1]);
  const mask = new Int32Array(ids.length);
  for (const [row, sequence] of sequences.entries()) {
    const start = row * shape[1];
    ids.set(sequence, start);
    mask.fill(1, start, start + sequence.length);
  }
  return {
    ids: tf.tensor2d(ids, shape, 'int32'),
    attentionMask: tf.tensor2d(mask, shape, 'int32'),
    lengths,
  };
}
