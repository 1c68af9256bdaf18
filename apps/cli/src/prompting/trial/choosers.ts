import {
  balancedExamples,
  bm25Similarity,
  diverseExamples,
  firstExamples,
  similarExamples,
  type TrialChooser,
  type TrialExample,
  type TrialPrompt,
} from '@headwise/prompting';

/** What `--choose` names: how the examples that are shown before a question are taken from the pool. */
export const choosers: Readonly<Record<string, TrialChooser | undefined>> = {
  random: undefined,
  first: (pool) => firstExamples(pool),
  balanced: (pool, seed, { label }) =>
    balancedExamples(pool, { label: ({ values }) => String(values[label]), seed }),
  similar: (pool, _seed, prompt) => similarExamples(pool, likeness(prompt)),
  diverse: (pool, _seed, prompt) => diverseExamples(pool, likeness(prompt)),
};

/** Questions are compared by the words that they share. */
function likeness({ task }: TrialPrompt) {
  const slots = Object.keys(task.question.slots);
  const text = ({ values }: TrialExample) =>
    task.question.write(Object.fromEntries(slots.map((slot) => [slot, values[slot]!])));
  return { text, similarity: bm25Similarity() };
}
