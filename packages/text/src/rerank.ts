import { InputError, isEncoder, type Network, readTensor } from '@headwise/core';
import { lengthGroups, paddedRows } from '@headwise/core/internal';
import type { Tokenizer } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { maskOf, tokensAtOnce } from './embed.js';
import type { RerankActivation, RerankSettings } from './reranker.js';

/** Options of reranking, which win over the model's own settings. */
export interface RerankOptions {
  /** How many of the best are given; default all. */
  topN?: number | undefined;
  /** What a score is made of the model's logit. Default the folder's, or `'sigmoid'`. */
  activation?: RerankActivation | undefined;
  /** Cut off what is beyond the model's context, of the longer text first; default false: it is refused. */
  truncate?: boolean | undefined;
  /** Ends the work between two passes, with its reason as the error. */
  signal?: AbortSignal | undefined;
}

/** A cross-encoder: an encoder, or a decoder, whose head gives a sequence one score. */
export interface RerankModel {
  readonly network: Network;
  /** How it scores pairs, from its folder; default a sigmoid of the logit. */
  readonly reranking?: RerankSettings | undefined;
}

/** A text by its place among those that were given. */
export interface RankedText {
  readonly index: number;
  readonly score: number;
}

/**
 * Texts by how well they answer a query, the best first: a cross-encoder reads the query and each text together.
 *
 * Pairs of similar length are read in one pass; each gets the score that it has alone. Equal scores keep the order of the texts.
 *
 * @param texts at least one
 * @throws InputError for no texts, a pair beyond the model's context, a `topN` below 1, and a model that does not give one score
 * @see Nogueira and Cho 2019, https://arxiv.org/abs/1901.04085
 * @example
 * const { model, tokenizer } = await loadReranker('models/ms-marco-MiniLM-L6-v2');
 * const [best] = await rerank(model, tokenizer, 'How tall is K2?', ['K2 is 8,611 m high.', 'It rains.']);
 */
export async function rerank(
  model: RerankModel,
  tokenizer: Tokenizer,
  query: string,
  texts: readonly string[],
  options: RerankOptions = {},
): Promise<RankedText[]> {
  const { network, reranking = {} } = model;
  const { topN = texts.length, signal, activation = reranking.activation ?? 'sigmoid' } = options;
  if (texts.length === 0) throw new InputError('there is no text to rank; expected at least one');
  if (!(Number.isSafeInteger(topN) && topN >= 1)) {
    throw new InputError(`topN is ${topN}; expected a whole number of at least 1`);
  }
  const pairs = rankedPairs(model, tokenizer, query, texts, options);
  const scores = new Float32Array(pairs.length);
  const lengthOf = (n: number) => pairs[n]!.ids.length;
  for (const group of lengthGroups(pairs.keys(), lengthOf, tokensAtOnce)) {
    signal?.throwIfAborted();
    const rows = tf.tidy(() => {
      const { ids, lengths } = paddedRows(group.map((n) => pairs[n]!.ids));
      const attentionMask = maskOf(lengths, ids.shape[1]);
      const types =
        (reranking.tokenTypes ?? true)
          ? { tokenTypes: paddedRows(group.map((n) => pairs[n]!.types)).ids }
          : {};
      const logits = oneScore(network, ids, { attentionMask, ...types });
      return activation === 'sigmoid' ? logits.sigmoid() : logits;
    });
    try {
      const values = await readTensor(rows);
      for (const [row, n] of group.entries()) scores[n] = values[row]!;
    } finally {
      rows.dispose();
    }
  }
  const ranked = Array.from(scores, (score, index) => ({ index, score }));
  return ranked.sort((a, b) => b.score - a.score).slice(0, topN);
}

/** A query and a text as a cross-encoder reads them. */
export interface RankedPair {
  readonly ids: readonly number[];
  /** Which of the two each token is of, as the tokenizer says. */
  readonly types: readonly number[];
}

/**
 * The pairs that `rerank` reads, special tokens among them.
 *
 * @throws InputError as `rerank` does
 */
export function rankedPairs(
  { network, reranking = {} }: RerankModel,
  tokenizer: Tokenizer,
  query: string,
  texts: readonly string[],
  { truncate }: Pick<RerankOptions, 'truncate'> = {},
): RankedPair[] {
  const maxLength = Math.min(network.maxLength, reranking.maxLength ?? Number.POSITIVE_INFINITY);
  const truncation = truncate && Number.isFinite(maxLength) ? { maxLength } : null;
  return texts.map((text, n) => {
    const { ids, typeIds } = tokenizer.encodePair(query, text, { truncation, padding: null });
    if (ids.length <= maxLength) return { ids, types: typeIds };
    throw new InputError(
      `texts[${n}] and the query have ${ids.length} tokens; the model's context holds ${maxLength}: shorten them, or give truncate: true`,
    );
  });
}

/** The logit of each sequence, `[B]`. */
function oneScore(
  network: Network,
  ids: tf.Tensor,
  ctx: { attentionMask: tf.Tensor; tokenTypes?: tf.Tensor },
): tf.Tensor {
  const logits = isEncoder(network) ? network.forward(ids, ctx).logits : undefined;
  if (logits?.rank === 2 && logits.shape[1] === 1) return logits.reshape([-1]);
  const given = logits ? `logits of shape [${logits.shape.join(', ')}]` : 'no logits';
  throw new InputError(
    `the model's head gives ${given}; expected one score for each sequence: a sequence classification with one label`,
  );
}
