import { jaccard, wordShingles } from '../make/no-duplicates.js';
import { type TrialExample, valuesFor } from './plan.js';
import type { TrialPrompt } from './trial-prompt.js';

/** A question that nearly repeats one that is known already. */
export interface TrialLeak {
  /** The ids of both. */
  readonly example: string;
  readonly other: string;
  /** The Jaccard similarity of their words, in runs of three: 1 for the same words. */
  readonly similarity: number;
}

/**
 * Questions that nearly repeat one of some others, such as of a pool: their answers say less.
 *
 * Questions are compared as the prompt writes them, without its own words: by the values of their slots.
 *
 * @param least the similarity from which two are reported, default 0.7
 * @returns each question with the other that is most like it, the most similar first
 */
export function trialLeaks(
  examples: readonly TrialExample[],
  others: readonly TrialExample[],
  { prompt, least = 0.7 }: { prompt: TrialPrompt; least?: number | undefined },
): TrialLeak[] {
  const shinglesOf = (example: TrialExample) =>
    wordShingles(
      Object.values(valuesFor(prompt, example).question).flat().map(String).join('\n'),
      3,
    );
  const known = others.map(shinglesOf);
  const places = new Map<string, number[]>();
  for (const [n, shingles] of known.entries()) {
    for (const one of shingles) places.set(one, [...(places.get(one) ?? []), n]);
  }
  return examples
    .flatMap((example): TrialLeak[] => {
      const own = shinglesOf(example);
      const near = new Set([...own].flatMap((one) => places.get(one) ?? []));
      const found = [...near].map((n) => {
        return { example: example.id, other: others[n]!.id, similarity: jaccard(own, known[n]!) };
      });
      const best = found.sort((a, b) => b.similarity - a.similarity)[0];
      return best && best.similarity >= least ? [best] : [];
    })
    .sort((a, b) => b.similarity - a.similarity);
}
