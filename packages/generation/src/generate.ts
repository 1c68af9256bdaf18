import type { LanguageModel } from '@headwise/core';
import type { GenerateOptions } from './options.js';
import { checkedPlan } from './plan.js';
import type { StopReason } from './stop.js';
import { tokenLoop } from './token-loop.js';

/**
 * Continues a sequence of tokens; yields each new one, and returns why it ended.
 *
 * Keys and values of past tokens are cached, so that a token costs one position. On WebGPU a decoder whose parts have fused
 * forms runs as one recorded step, sampling included, and only ids are read. Penalties are for the prompt and what was
 * made. Where the sequence grows beyond the model's `maxLength`, it goes on from its newer half, or from what `contextShift` keeps.
 *
 * @param prompt ids in [0, V), at least one and at most `maxLength`
 * @throws InputError for a prompt that is empty, too long, or outside the vocabulary, and for options
 * out of range
 * @example
 * const decoder = tokenizer.decodeStream(); // a character may take several tokens
 * for await (const id of generate(network, tokenizer.encode('Call me').ids, { topP: 0.9, seed: 1 })) {
 *   process.stdout.write(decoder.push(id));
 * }
 */
export async function* generate(
  network: LanguageModel,
  prompt: readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<number, StopReason> {
  const plan = checkedPlan(network, prompt, options);
  return yield* tokenLoop(
    network,
    prompt,
    plan,
    (continuation, sequence, made) => continuation.next(sequence, made),
    (id) => id,
  );
}
