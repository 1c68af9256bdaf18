/** What a run's model is trained for on a text. */
export const runObjectives = ['causal-lm', 'masked-lm', 'span-corruption'] as const;

/** What a run's model is trained for on a text. */
export type RunObjective = (typeof runObjectives)[number];

/** Tokens that an objective writes into a text. */
export const objectiveTokens = {
  pad: '<pad>',
  mask: '<mask>',
  end: '</s>',
  firstSentinel: '<extra_id_0>',
} as const;

const sentinels = 100;

/** The special tokens of a run's tokenizer, which have its first ids: each sentinel has the id below that of the one before, as in T5. */
export function specialTokensOf(objective: RunObjective | undefined): string[] {
  const { pad, mask, end } = objectiveTokens;
  if (objective === 'masked-lm') return [pad, mask];
  if (objective !== 'span-corruption') return [];
  const hidden = Array.from({ length: sentinels }, (_, n) => `<extra_id_${sentinels - 1 - n}>`);
  return [pad, end, ...hidden];
}
