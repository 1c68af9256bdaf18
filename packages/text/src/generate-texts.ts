import { InputError, isEncoderDecoder } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import { RunningBatch, type RunningSequence, type StopReason } from '@headwise/generation';
import type { Tokenizer } from '@headwise/tokenizers';
import {
  type Prompt,
  promptIds,
  settingsOf,
  type TextModel,
  type TextOptions,
} from './generate-text.js';
import { TextDecoding } from './text-decoding.js';

/** A text that was generated after a prompt. */
export interface GeneratedText {
  /** Without the prompt, special tokens, and the stop text and what came behind it. */
  readonly text: string;
  /** The new tokens, without a stop id. */
  readonly ids: readonly number[];
  /** The number of tokens of the prompt. */
  readonly promptTokens: number;
  /** `Σ log p` of the new tokens, in nats, as the model gives them. */
  readonly logProbability: number;
  /** Why it ended. */
  readonly reason: StopReason;
}

/** A sequence on its way. */
interface Going {
  readonly n: number;
  readonly decoding: TextDecoding;
  readonly ids: number[];
  readonly promptTokens: number;
  text: string;
  logProbability: number;
}

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
  { running = 8 }: { running?: number | undefined } = {},
): Promise<GeneratedText[]> {
  if (!Number.isSafeInteger(running) || running < 1) {
    throw new InputError(`running is ${running}; expected a whole number of at least 1`);
  }
  const each = Array.isArray(options)
    ? (options as readonly TextOptions[])
    : prompts.map(() => options as TextOptions);
  if (each.length !== prompts.length) {
    throw new InputError(
      `generateTexts: ${each.length} options for ${prompts.length} prompts; expected one for each`,
    );
  }
  const { storage, prefixCache } = settingsOf(model, each[0] ?? {});
  const batch = new RunningBatch(model.network, { storage, prefixCache });
  const going = new Map<RunningSequence, Going>();
  const texts = new Array<GeneratedText>(prompts.length);
  const add = (n: number) => {
    const { chat, ...given } = each[n]!;
    const { stop, ...settings } = settingsOf(model, given);
    const ids = promptIds(model, tokenizer, prompts[n]!, chat);
    // Drafts of the model's settings change nothing but the time, and a batch has none.
    const own = { ...settings, speculation: given.speculation };
    const decoding = new TextDecoding(tokenizer, isEncoderDecoder(model.network) ? [] : ids, stop);
    const begun = { n, decoding, ids: [], promptTokens: ids.length, text: '', logProbability: 0 };
    going.set(batch.add(ids, own), begun);
  };
  const end = (sequence: RunningSequence, reason: StopReason) => {
    const { n, ids, promptTokens, text, logProbability } = going.get(sequence)!;
    texts[n] = { text, ids, promptTokens, logProbability, reason };
    going.delete(sequence);
  };
  try {
    let next = 0;
    while (next < prompts.length || batch.size > 0) {
      while (next < prompts.length && batch.size < running) add(next++);
      for (const { sequence, token, reason, error } of await batch.step()) {
        const own = going.get(sequence)!;
        const pieces = [];
        if (token) {
          own.ids.push(token.id);
          own.logProbability += token.logProbability;
          pieces.push(own.decoding.push(token.id));
        }
        if (reason === 'error') throw error;
        if (reason && pieces[0]?.stop === undefined) pieces.push(own.decoding.end());
        own.text += pieces.map(({ text }) => text).join('');
        if (pieces.some(({ stop }) => stop !== undefined)) {
          batch.remove(sequence);
          end(sequence, 'stop');
        } else if (reason) end(sequence, reason);
      }
      await nextTask();
    }
  } finally {
    batch.dispose();
  }
  return texts;
}
