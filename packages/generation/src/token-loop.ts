import type { LanguageModel } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import { compileFirstTokens } from './compile-ahead.js';
import { Continuation } from './continuation.js';
import type { Plan } from './plan.js';
import { Stopping, type StopReason } from './stop.js';

/**
 * Continues a sequence token by token until a reason to stop comes.
 *
 * @param draw gives at least one token that follows; what comes after a stop is dropped
 * @param idOf a token
 */
export async function* tokenLoop<T>(
  network: LanguageModel,
  prompt: readonly number[],
  plan: Plan,
  draw: (
    continuation: Continuation,
    sequence: readonly number[],
    made: number,
  ) => Promise<readonly T[]>,
  idOf: (token: T) => number,
): AsyncGenerator<T, StopReason> {
  const stopping = new Stopping(plan);
  const sequence = [...prompt];
  await compileFirstTokens(network, prompt, plan);
  const continuation = new Continuation(network, plan, prompt.length);
  try {
    let made = 0;
    for (let reason = stopping.before(made, sequence); ; ) {
      if (reason) return reason;
      for (const token of await draw(continuation, sequence, made)) {
        const id = idOf(token);
        if (stopping.at(id)) return 'stop';
        yield token;
        await nextTask();
        sequence.push(id);
        reason = stopping.before(++made, sequence);
        if (reason) break;
      }
    }
  } finally {
    continuation.dispose();
  }
}
