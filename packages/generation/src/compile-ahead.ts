import type { LanguageModel } from '@headwise/core';
import { compilePipelines } from '@headwise/kernels';
import { Continuation } from './continuation.js';
import type { Plan } from './plan.js';

/** Models whose first tokens were compiled ahead. */
const compiled = new WeakSet<LanguageModel>();

/**
 * Compiles what the first tokens after a prompt need, once for each model: a continuation runs on a device that computes nothing. What
 * loading the model has compiled is there already.
 *
 * For models that tell what their parameters hold: another network may do more in a pass than compute. Never rejects: what cannot be
 * compiled is compiled by its first use, which then reports the error.
 */
export async function compileFirstTokens(
  network: LanguageModel,
  prompt: readonly number[],
  plan: Plan,
): Promise<void> {
  if (compiled.has(network) || !network.parameterState) return;
  compiled.add(network);
  // Parts that are not the model's: they may look at what they are given, or keep it.
  const own = { ...plan, processors: [], prefixCache: undefined, speculation: undefined };
  try {
    await compilePipelines(() => {
      const continuation = new Continuation(network, own, prompt.length);
      try {
        continuation.rehearse(prompt);
      } finally {
        continuation.dispose();
      }
    });
  } catch {}
}
