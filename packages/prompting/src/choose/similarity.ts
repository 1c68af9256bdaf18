import { type EmbeddingModel, type EmbedOptions, embed } from '@headwise/text';
import type { Tokenizer } from '@headwise/tokenizers';
import { type Bm25Options, bm25 } from './bm25.js';

/** A measure of how alike texts are. */
export interface Similarity {
  /** Prepares texts to be compared. */
  index(texts: readonly string[]): Promise<SimilarityIndex>;
}

/** Texts that can be compared with a query and with each other; greater is more alike, at most 1 or about 1. */
export interface SimilarityIndex {
  /** Of every text to a query, `[N]`. */
  toQuery(query: string): Promise<ArrayLike<number>>;
  /** Of two of the texts, by their indices. */
  between(i: number, j: number): number;
}

/**
 * Likeness by shared words: the BM25 score of a text as a share of the score that the query has for itself.
 *
 * @throws InputError as `bm25` does, when texts are prepared
 */
export function bm25Similarity(options: Bm25Options = {}): Similarity {
  return {
    index: async (texts) => {
      const ranking = bm25(texts, options);
      const share = (score: number, self: number) => (self > 0 ? score / self : 0);
      /** Of each text the score that it has for itself, once it was asked for. */
      const selves = new Map<number, number>();
      return {
        toQuery: async (query) => {
          const self = ranking.selfScore(query);
          return ranking.scores(query).map((score) => share(score, self));
        },
        between: (i, j) => {
          const self = selves.get(i) ?? ranking.selfScore(texts[i]!);
          selves.set(i, self);
          return share(ranking.score(texts[i]!, j), self);
        },
      };
    },
  };
}

/**
 * Likeness by meaning: the cosine of the vectors that `embed` of `@headwise/text` gives, of any encoder or decoder.
 *
 * @param loaded as `loadEmbeddingModel` gives it
 * @example
 * const similarity = embeddingSimilarity(await loadEmbeddingModel('models/all-MiniLM-L6-v2'));
 */
export function embeddingSimilarity(
  { model, tokenizer }: { readonly model: EmbeddingModel; readonly tokenizer: Tokenizer },
  options: Omit<EmbedOptions, 'normalize'> = {},
): Similarity {
  const vectorsOf = (texts: readonly string[]) =>
    embed(model, tokenizer, texts, { ...options, normalize: true });
  return {
    index: async (texts) => {
      const vectors = await vectorsOf(texts);
      return {
        toQuery: async (query) => {
          const [vector] = await vectorsOf([query]);
          return vectors.map((other) => dot(vector!, other));
        },
        between: (i, j) => dot(vectors[i]!, vectors[j]!),
      };
    },
  };
}

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);
