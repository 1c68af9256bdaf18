import type { Prompt, TextOptions } from '@headwise/text';
import {
  type MadeEntry,
  type MadeExample,
  type MakeOptions,
  makeExamples,
  type PromptModel,
  type Recipe,
} from '../index.js';

/** A model by a rule, so that every prompt and answer can be checked; an answer that ends in … is cut. */
export function byRule(rule: (prompt: string, options: TextOptions) => string): PromptModel {
  const textOf = (prompt: Prompt) =>
    typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join('\n');
  const encode = (prompt: Prompt) =>
    textOf(prompt)
      .split(/\s+/)
      .map(({ length }) => length);
  return {
    name: 'rule',
    revision: 'r1',
    contextLength: 1000,
    encode,
    write: async (prompts, options) =>
      prompts.map((prompt) => {
        const text = rule(textOf(prompt), options as TextOptions);
        return { text, tokens: 1, promptTokens: 2, reason: text.endsWith('…') ? 'length' : 'stop' };
      }),
    score: async () => [],
  };
}

/** All that comes of a recipe. */
export async function made(recipe: Recipe, options: MakeOptions): Promise<MadeEntry[]> {
  const entries: MadeEntry[] = [];
  for await (const entry of makeExamples(recipe, options)) entries.push(entry);
  return entries;
}

export const rowsOf = (entries: readonly MadeEntry[]): MadeExample[] =>
  entries.flatMap(({ rows }) => rows.map(({ example }) => example));

/** The rules and reasons of what was left out. */
export const leftOf = (entries: readonly MadeEntry[]): [rule: string, reason: string][] =>
  entries.flatMap(({ leftOut }) =>
    leftOut.map(({ rule, reason }): [string, string] => [rule, reason]),
  );
