import { checkOneOf, InputError } from '@headwise/core';
import { checkCount, type ExampleChooser } from './example-chooser.js';
import { maximalMarginalRelevance } from './marginal-relevance.js';
import type { Similarity, SimilarityIndex } from './similarity.js';

const orders = ['nearest-last', 'nearest-first', 'fixed'] as const;

/** The order of examples that were chosen for a query: by likeness to it, or as in the pool. */
export type ExampleOrder = (typeof orders)[number];

/** Options of `similarExamples`. */
export interface SimilarOptions<Values> {
  /** The text of an example, and of a query, that is compared. */
  text: (values: Values) => string;
  /** How texts are compared. */
  similarity: Similarity;
  /** Default `'nearest-last'`: the example most like the query stands next to it. */
  order?: ExampleOrder | undefined;
}

/** Options of `diverseExamples`. */
export interface DiverseOptions<Values> extends SimilarOptions<Values> {
  /** What likeness to the query counts against likeness to what is chosen already, from 0 to 1. Default 0.5. */
  relevance?: number | undefined;
}

/**
 * The examples most like a query; of equal ones the first in the pool. One whose text is the query's own is left out: it would give the answer.
 *
 * @throws InputError, when asked, for more examples than are left
 * @see Liu et al. 2022, https://arxiv.org/abs/2101.06804
 */
export function similarExamples<Example extends Query, Query>(
  pool: readonly Example[],
  options: SimilarOptions<Query>,
): ExampleChooser<Example, Query> {
  return diverseExamples(pool, { ...options, relevance: 1 });
}

/**
 * Examples that are like a query and unlike each other, by maximal marginal relevance. One whose text is the query's own is left out.
 *
 * @throws InputError for a relevance out of range, and, when asked, for more examples than are left
 * @see Carbonell and Goldstein 1998, https://doi.org/10.1145/290941.291025
 */
export function diverseExamples<Example extends Query, Query>(
  pool: readonly Example[],
  { text, similarity, order = 'nearest-last', relevance = 0.5 }: DiverseOptions<Query>,
): ExampleChooser<Example, Query> {
  checkOneOf('order', order, orders);
  if (!(relevance >= 0 && relevance <= 1)) {
    throw new InputError(`relevance is ${relevance}; expected a number from 0 to 1`);
  }
  const texts = pool.map(text);
  let index: Promise<SimilarityIndex> | undefined;
  return async (query, count) => {
    const own = text(query);
    const others = [...texts.keys()].filter((n) => texts[n] !== own);
    checkCount(count, others.length);
    if (count === 0) return [];
    index ??= similarity.index(texts);
    const prepared = await index;
    const likeness = await prepared.toQuery(own);
    const chosen = maximalMarginalRelevance(
      others.map((n) => likeness[n]!),
      (i, j) => prepared.between(others[i]!, others[j]!),
      { count, relevance },
    ).map((i) => others[i]!);
    if (order === 'fixed') chosen.sort((a, b) => a - b);
    else chosen.sort((a, b) => likeness[b]! - likeness[a]!);
    if (order === 'nearest-last') chosen.reverse();
    return chosen.map((n) => pool[n]!);
  };
}
