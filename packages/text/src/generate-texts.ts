import { InputError } from '@headwise/core';
import type { Tokenizer } from '@headwise/tokenizers';
import type { Prompt, TextModel, TextOptions } from './generate-text.js';
import { type GeneratedText, TextQueue } from './text-queue.js';

/**
 * Continues texts, or answers messages, several at a time: each comes out as `generateText` gives it alone, and where one ends the next
 * begins.
 *
 * @param options for all, or one for each prompt, such as a seed of its own
 * @param running the most sequences at a time; default 8
 * @returns in the order of the prompts
 * @throws InputError as `generateText` does, for other options than prompts, and for `running` below 1
 * @example
 * const seeds = [1, 2, 3].map((seed) => ({ seed, temperature: 0.7 }));
 * const samples = await generateTexts(model, tokenizer, seeds.map(() => 'Call me'), seeds);
 */
export async function generateTexts(
  model: TextModel,
  tokenizer: Tokenizer,
  prompts: readonly Prompt[],
  options: TextOptions | readonly TextOptions[] = {},
  { running }: { running?: number | undefined } = {},
): Promise<GeneratedText[]> {
  return writeAll(new TextQueue(model, tokenizer, { running }), prompts, options);
}

/**
 * The texts after several prompts; where one fails, the others are ended.
 *
 * @param options for all, or one for each prompt
 * @throws InputError for other options than prompts; the first error
 */
export async function writeAll(
  queue: TextQueue,
  prompts: readonly Prompt[],
  options: TextOptions | readonly TextOptions[] = {},
): Promise<GeneratedText[]> {
  const each = Array.isArray(options)
    ? (options as readonly TextOptions[])
    : prompts.map(() => options as TextOptions);
  if (each.length !== prompts.length) {
    throw new InputError(
      `generateTexts: ${each.length} options for ${prompts.length} prompts; expected one for each`,
    );
  }
  const stop = new AbortController();
  const all = prompts.map((prompt, n) => {
    const { signal, ...own } = each[n]!;
    const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    return queue.write(prompt, { ...own, signal: either });
  });
  try {
    return await Promise.all(all);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(all);
    throw error;
  }
}
