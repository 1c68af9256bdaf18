import type { NextScores } from '../worker/writing.js';

/** Words that could follow “For dessert I had a …”, and how likely each is. */
export const example: readonly (readonly [word: string, probability: number])[] = [
  ['cake', 0.2],
  ['donut', 0.1],
  ['banana', 0.02],
  ['apple', 0.01],
];

/** The other words, which share the rest evenly, each less likely than those named. */
const others = 100;

/** The example as if a model had said it. */
export function exampleScores(): NextScores {
  const named = example.reduce((sum, [, probability]) => sum + probability, 0);
  const rest = Array.from(
    { length: others },
    (_, i) => [`word ${i + 1}`, (1 - named) / others] as const,
  );
  const all = [...example, ...rest];
  return {
    tokens: all.map(([text], id) => ({ id, text })),
    scores: Float32Array.from(all, ([, probability]) => Math.log(probability)),
    logSum: 0,
  };
}
