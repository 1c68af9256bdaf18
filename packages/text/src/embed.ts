import {
  type EncoderContext,
  InputError,
  isEncoder,
  isEncoderDecoder,
  type Network,
  readTensor,
} from '@headwise/core';
import { lengthGroups, paddedRows } from '@headwise/core/internal';
import type { Tokenizer } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { denseForward } from './dense-layer.js';
import { type Pooling, pooled, poolings } from './pooling.js';
import type { SentenceSettings } from './sentence-model.js';

/** Options of embedding, which win over the model's own settings. */
export interface EmbedOptions {
  /** How the hidden states of a text become one vector; several are joined end to end. Default the folder's, or `'mean'`. */
  pooling?: Pooling | readonly Pooling[] | undefined;
  /**
   * Divide each vector by its Euclidean length, so that dot products are cosines. Default the folder's, or false.
   */
  normalize?: boolean | undefined;
  /** Keep this many of the first components, before normalisation, for models that are trained for it (Matryoshka). Default all. */
  dimensions?: number | undefined;
  /** Stands before each text, such as `'query: '`; token ids are read as they are. Default that of `promptName`. */
  prompt?: string | undefined;
  /** One of the folder's prompts, by its name. Default the folder's default prompt, mostly none. */
  promptName?: string | undefined;
  /** Cut off what is beyond the model's context; default false: it is refused. */
  truncate?: boolean | undefined;
  /** Ends the work between two passes, with its reason as the error. */
  signal?: AbortSignal | undefined;
}

/** An encoder, or a decoder whose head is one matrix. */
export interface EmbeddingModel {
  readonly network: Network;
  /** How it makes vectors, from its folder; default the mean of the hidden states. */
  readonly embedding?: SentenceSettings | undefined;
}

/** Tokens of a pass at most, padding among them; a longer sequence has a pass of its own. */
export const tokensAtOnce = 4096;

/**
 * One vector `[D]` for each text, pooled from the hidden states of the last layer.
 *
 * Texts of similar length are read in one pass; each gets the vector that it has alone. What `tokenizer.json` says about
 * truncation and padding is left aside.
 *
 * @param texts at least one; sequences of token ids are read as they are
 * @throws InputError for no texts, a text without tokens, one beyond the model's context, an unknown pooling or prompt, more
 * dimensions than there are, and a model without hidden states to pool
 * @see Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084
 * @see Kusupati et al. 2022 (Matryoshka), https://arxiv.org/abs/2205.13147
 * @example
 * const { model, tokenizer } = await loadEmbeddingModel('models/all-MiniLM-L6-v2');
 * const [a, b] = await embed(model, tokenizer, ['A cat sat.', 'A dog ran.']);
 */
export async function embed(
  model: EmbeddingModel,
  tokenizer: Tokenizer,
  texts: readonly (string | readonly number[])[],
  options: EmbedOptions = {},
): Promise<Float32Array[]> {
  const { network, embedding = {} } = model;
  const { signal, dimensions, normalize = embedding.normalize ?? false } = options;
  const pooling = options.pooling ?? embedding.pooling;
  const vectorsOf = sentenceVectors(network, { ...embedding, pooling });
  const sequences = embeddedIds(model, tokenizer, texts, options);
  const vectors = new Array<Float32Array>(sequences.length);
  const lengthOf = (n: number) => sequences[n]!.length;
  for (const group of lengthGroups(sequences.keys(), lengthOf, tokensAtOnce)) {
    signal?.throwIfAborted();
    const rows = tf.tidy(() => {
      const { ids, lengths } = paddedRows(group.map((n) => sequences[n]!));
      const attentionMask = maskOf(lengths, ids.shape[1]);
      const kept = cut(vectorsOf(ids, { attentionMask }), dimensions);
      return normalize ? kept.div(kept.norm('euclidean', -1, true).maximum(1e-12)) : kept;
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
 * The tokens that `embed` reads of each text, special tokens and the prompt among them.
 *
 * @throws InputError as `embed` does
 */
export function embeddedIds(
  { network, embedding = {} }: EmbeddingModel,
  tokenizer: Tokenizer,
  texts: readonly (string | readonly number[])[],
  options: Pick<EmbedOptions, 'truncate' | 'prompt' | 'promptName'> = {},
): (readonly number[])[] {
  if (texts.length === 0) throw new InputError('there is no text to embed; expected at least one');
  const prompt = promptOf(options, embedding);
  const maxLength = Math.min(network.maxLength, embedding.maxLength ?? Number.POSITIVE_INFINITY);
  const truncation = options.truncate && Number.isFinite(maxLength) ? { maxLength } : null;
  return texts.map((text, n) => {
    const ids =
      typeof text === 'string'
        ? tokenizer.encode(written(prompt + text, embedding), { truncation, padding: null }).ids
        : text.slice(0, truncation?.maxLength);
    if (ids.length === 0) throw new InputError(`texts[${n}] has no tokens; expected at least one`);
    if (ids.length <= maxLength) return ids;
    throw new InputError(
      `texts[${n}] has ${ids.length} tokens; the model's context holds ${maxLength}: shorten it, or give truncate: true`,
    );
  });
}

/**
 * How a model makes vectors of texts, before they are cut and normalised, with a gradient: for training it.
 *
 * @returns vectors `[B, D]` from ids `[B, T]` and a context with their attention mask
 * @throws InputError for an unknown pooling, and a model without hidden states to pool
 */
export function sentenceVectors(
  network: Network,
  { pooling = 'mean', dense = [] }: Pick<SentenceSettings, 'pooling' | 'dense'>,
): (ids: tf.Tensor, ctx: EncoderContext) => tf.Tensor {
  const kinds = poolingsOf(pooling);
  const hidden = hiddenStates(network);
  return (ids, ctx) => {
    const states = hidden(ids, ctx); // [B, T, D]
    const attentionMask = ctx.attentionMask ?? tf.ones(ids.shape, 'int32');
    const parts = kinds.map((kind) => pooled(states, attentionMask, kind));
    return dense.reduce(denseForward, tf.concat(parts, -1));
  };
}

/** A text as it is encoded, in lower case where the folder says so. */
export const written = (text: string, { lowerCase }: SentenceSettings): string =>
  lowerCase ? text.toLowerCase() : text;

function promptOf(
  { prompt, promptName }: Pick<EmbedOptions, 'prompt' | 'promptName'>,
  embedding: SentenceSettings,
): string {
  const { prompts = {} } = embedding;
  if (prompt !== undefined) {
    if (promptName === undefined) return prompt;
    throw new InputError(`prompt and promptName are both given; expected one of them`);
  }
  const name = promptName ?? embedding.promptName;
  if (name === undefined) return '';
  if (Object.hasOwn(prompts, name)) return prompts[name]!;
  const known = Object.keys(prompts).join(', ') || 'none';
  throw new InputError(`promptName is '${name}'; the model's prompts: ${known}`);
}

function poolingsOf(given: Pooling | readonly Pooling[]): readonly Pooling[] {
  const kinds = [given].flat();
  const wrong = kinds.find((kind) => !poolings.includes(kind));
  if (kinds.length > 0 && wrong === undefined) return kinds;
  throw new InputError(
    `pooling is '${wrong ?? ''}'; expected one of ${poolings.map((name) => `'${name}'`).join(', ')}`,
  );
}

/** The first components. @param x `[B, D]` */
function cut(x: tf.Tensor, dimensions: number | undefined): tf.Tensor {
  const dim = x.shape[1]!;
  if (dimensions === undefined) return x;
  if (Number.isSafeInteger(dimensions) && dimensions >= 1 && dimensions <= dim) {
    return x.slice([0, 0], [x.shape[0]!, dimensions]);
  }
  throw new InputError(`dimensions is ${dimensions}; expected a whole number from 1 to ${dim}`);
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

/** 1 for each token, 0 for padding behind it: `[N, T]`. */
export function maskOf(lengths: readonly number[], longest: number): tf.Tensor2D {
  const mask = new Int32Array(lengths.length * longest);
  for (const [row, length] of lengths.entries()) {
    mask.fill(1, row * longest, row * longest + length);
  }
  return tf.tensor2d(mask, [lengths.length, longest], 'int32');
}
