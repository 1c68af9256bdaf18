import { InputError, type LanguageModel } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import { Continuation } from './continuation.js';
import { type GeneratedToken, probabilitiesOf } from './draw.js';
import type { GenerateOptions } from './options.js';
import { checkedPlan } from './plan.js';
import { Stopping, type StopReason } from './stop.js';

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
  const stopping = new Stopping(plan);
  const sequence = [...prompt];
  const continuation = new Continuation(network, plan, prompt.length);
  try {
    let made = 0;
    for (let reason = stopping.before(made, sequence); ; ) {
      if (reason) return reason;
      const tokens: GeneratedToken[] = [];
      await continuation.looked(sequence, made, async (scores, id) => {
        tokens.push(...(await probabilitiesOf(scores, [id], alternatives)));
      });
      for (const token of tokens) {
        if (stopping.at(token.id)) return 'stop';
        yield token;
        await nextTask();
        sequence.push(token.id);
        reason = stopping.before(++made, sequence);
        if (reason) break;
      }
    }
  } finally {
    continuation.dispose();
  }
}

/** @throws InputError unless it is a number of tokens */
export function checkAlternatives(count: number): void {
  if (Number.isSafeInteger(count) && count >= 0) return;
  throw new InputError(`alternatives is ${count}; expected a whole number of at least 0`);
}
