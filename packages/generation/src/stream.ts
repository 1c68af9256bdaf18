import { InputError, type LanguageModel } from '@headwise/core';
import type { Continuation } from './continuation.js';
import { type GeneratedToken, probabilitiesOf } from './draw.js';
import type { GenerateOptions } from './options.js';
import { checkedPlan } from './plan.js';
import type { StopReason } from './stop.js';
import { tokenLoop } from './token-loop.js';

export interface StreamOptions extends GenerateOptions {
  /** The number of likeliest tokens to give with each token; default 0. */
  alternatives?: number | undefined;
}

/**
 * Continues a sequence as `generate` does; yields each new token with its log-probability and the likeliest alternatives, and
 * returns why it ended.
 *
 * Each token is read before the next is computed, with its probabilities: tokens do not run ahead, as they do in `generate`.
 *
 * @param prompt ids in [0, V), at least one and at most `maxLength`
 * @throws InputError for a prompt that is empty, too long, or outside the vocabulary, and for options out of range
 */
export async function* stream(
  network: LanguageModel,
  prompt: readonly number[],
  { alternatives = 0, ...options }: StreamOptions = {},
): AsyncGenerator<GeneratedToken, StopReason> {
  checkAlternatives(alternatives);
  const plan = checkedPlan(network, prompt, options);
  const draw = async (continuation: Continuation, sequence: readonly number[], made: number) => {
    const tokens: GeneratedToken[] = [];
    await continuation.looked(sequence, made, async (scores, id) => {
      tokens.push(...(await probabilitiesOf(scores, [id], alternatives)));
    });
    return tokens;
  };
  return yield* tokenLoop(network, prompt, plan, draw, ({ id }) => id);
}

/** @throws InputError unless it is a number of tokens */
export function checkAlternatives(count: number): void {
  if (Number.isSafeInteger(count) && count >= 0) return;
  throw new InputError(`alternatives is ${count}; expected a whole number of at least 0`);
}
