import { InputError } from '@headwise/core';

/** Options of BM25. */
export interface Bm25Options {
  /** How soon another occurrence of a term adds little. Default 1.2. */
  k1?: number | undefined;
  /** How far the length of a text counts, from 0 to 1. Default 0.75. */
  b?: number | undefined;
  /** The terms of a text. Default its words, in lower case. */
  terms?: ((text: string) => readonly string[]) | undefined;
}

/** Texts that are ranked by BM25. */
export interface Bm25 {
  /** The score of every text for a query, `[N]`; 0 where they share no term. */
  scores(query: string): Float64Array;
  /** The score of one text, by its index, for a query. */
  score(query: string, text: number): number;
  /** The score that a text equal to the query would have. */
  selfScore(query: string): number;
}

let segmenter: Intl.Segmenter | undefined;

/** The words of a text, in lower case. */
function wordsOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'word' });
  return Array.from(segmenter.segment(text.toLowerCase())).flatMap(({ segment, isWordLike }) =>
    isWordLike ? [segment] : [],
  );
}

/**
 * Ranks texts by the terms that they share with a query, in Lucene's form of BM25.
 *
 * `Σ_t idf(t) · f / (f + k1 (1 − b + b |d| / mean |d|))` over the terms t of the query, f their count in the text d, `idf(t) = ln(1 + (N − n + ½) /
 * (n + ½))` for the n of N texts that have t.
 *
 * @throws InputError for no texts, and for options out of range
 * @see Robertson and Zaragoza 2009, https://doi.org/10.1561/1500000019
 */
export function bm25(
  texts: readonly string[],
  { k1 = 1.2, b = 0.75, terms = wordsOf }: Bm25Options = {},
): Bm25 {
  if (texts.length === 0) {
    throw new InputError('there are no texts to rank; expected at least one');
  }
  if (!(k1 >= 0 && Number.isFinite(k1))) {
    throw new InputError(`k1 is ${k1}; expected a finite number of at least 0`);
  }
  if (!(b >= 0 && b <= 1)) throw new InputError(`b is ${b}; expected a number from 0 to 1`);
  const lengths = texts.map(() => 0);
  /** Of each term, how often each text has it. */
  const occurrences = new Map<string, Map<number, number>>();
  for (const [n, text] of texts.entries()) {
    for (const term of terms(text)) {
      lengths[n]!++;
      const counts = occurrences.get(term) ?? new Map<number, number>();
      counts.set(n, (counts.get(n) ?? 0) + 1);
      occurrences.set(term, counts);
    }
  }
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / texts.length;
  const idf = (term: string) => {
    const count = occurrences.get(term)?.size ?? 0;
    return Math.log(1 + (texts.length - count + 0.5) / (count + 0.5));
  };
  const weight = (count: number, length: number) =>
    count / (count + k1 * (1 - b + (b * length) / (meanLength || 1)));
  return {
    scores: (query) => {
      const scores = new Float64Array(texts.length);
      for (const term of terms(query)) {
        for (const [n, count] of occurrences.get(term) ?? []) {
          scores[n]! += idf(term) * weight(count, lengths[n]!);
        }
      }
      return scores;
    },
    score: (query, text) => {
      let score = 0;
      for (const term of terms(query)) {
        const count = occurrences.get(term)?.get(text);
        if (count !== undefined) score += idf(term) * weight(count, lengths[text]!);
      }
      return score;
    },
    selfScore: (query) => {
      const all = terms(query);
      const countOf = (term: string) => all.filter((other) => other === term).length;
      return all.reduce((sum, term) => sum + idf(term) * weight(countOf(term), all.length), 0);
    },
  };
}
