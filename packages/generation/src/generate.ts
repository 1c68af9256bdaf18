import { InputError, type LanguageModel } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import { checkIdValues, vocabularyOf } from '@headwise/kernels/internal';
import { Continuation } from './continuation.js';
import type { GenerateOptions } from './options.js';
import { planOf } from './plan.js';
import { Stopping, type StopReason } from './stop.js';

/**
 * Continues a sequence of tokens; yields each new one, and returns why it ended.
 *
 * Keys and values of past tokens are cached, so that a token costs one position. On WebGPU a decoder whose parts have fused
 * forms runs as one recorded step, sampling included, and only ids are read. Penalties are for the prompt and what was
 * made. Where the sequence grows beyond the model's `maxLength`, it goes on from its newer half.
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
  checkPrompts(network, prompt, options);
  const plan = planOf(network, prompt, options);
  const stopping = new Stopping(plan);
  const sequence = [...prompt];
  const continuation = new Continuation(network, plan, prompt.length);
  try {
    let made = 0;
    for (let reason = stopping.before(made); ; ) {
      if (reason) return reason;
      for (const id of await continuation.next(sequence, made)) {
        if (stopping.at(id)) return 'stop';
        yield id;
        await nextTask();
        sequence.push(id);
        reason = stopping.before(++made);
        if (reason) break;
      }
    }
  } finally {
    continuation.dispose();
  }
}

/** Checks the prompt and the negative prompt as `checkPrompt` does. */
export function checkPrompts(
  network: Pick<LanguageModel, 'vocabSize' | 'maxLength'>,
  prompt: readonly number[],
  { negativePrompt }: GenerateOptions,
): void {
  checkPrompt(network, prompt);
  if (negativePrompt) checkPrompt(network, negativePrompt, 'negativePrompt');
}

/**
 * Throws unless a prompt's length and ids are valid for a model.
 *
 * @throws InputError naming the first id outside the vocabulary, or both lengths
 */
export function checkPrompt(
  network: Pick<LanguageModel, 'vocabSize' | 'maxLength'>,
  prompt: readonly number[],
  name = 'the prompt',
): void {
  const { vocabSize, maxLength } = network;
  if (prompt.length === 0) throw new InputError(`${name} is empty; expected at least one token`);
  if (prompt.length > maxLength) {
    throw new InputError(
      `${name} has ${prompt.length} tokens; the model's context holds ${maxLength}`,
    );
  }
  checkIdValues(prompt, vocabularyOf(vocabSize));
}
