import { type Prompt, type TextModel, type TextOptions, TextQueue } from '@headwise/text';
import { writeAll } from '@headwise/text/internal';
import type { Tokenizer } from '@headwise/tokenizers';
import { scoreContinuations } from './options/score-continuations.js';
import type { PromptModel } from './prompt-model.js';
import { promptReader } from './reader.js';

/** Options of `localModel`. */
export interface LocalModelOptions {
  /** What records name it by. Default `'model'`. */
  name?: string | undefined;
  /** Which weights it has, such as their hash. Default none. */
  revision?: string | undefined;
  /** Of the chat template, for prompts that are messages. */
  chat?: TextOptions['chat'] | undefined;
  /** Sequences that are written at a time, by all calls of `write` together. Default 8. */
  running?: number | undefined;
}

/**
 * A loaded model, in this process.
 *
 * @example
 * const model = localModel(await load('models/smollm2-135m'), { name: 'smollm2-135m' });
 */
export function localModel(
  loaded: { readonly model: TextModel; readonly tokenizer: Tokenizer },
  { name = 'model', revision, chat, running }: LocalModelOptions = {},
): PromptModel {
  const { model, tokenizer } = loaded;
  const queue = new TextQueue(model, tokenizer, { running });
  const withChat = (prompt: Prompt, options: TextOptions): TextOptions =>
    typeof prompt === 'string' || !chat ? options : { ...options, chat: options.chat ?? chat };
  return {
    ...{ name, revision, answerTokens: model.generation?.maxNewTokens },
    ...promptReader(loaded, chat),
    write: async (prompts, options = {}) => {
      const each = Array.isArray(options) ? (options as readonly TextOptions[]) : undefined;
      const own = prompts.map((prompt, n) =>
        withChat(prompt, each ? each[n]! : (options as TextOptions)),
      );
      const texts = await writeAll(queue, prompts, own);
      return texts.map(({ text, ids, promptTokens, reason }) => ({
        ...{ text, tokens: ids.length, promptTokens, reason },
      }));
    },
    score: (requests, options) => scoreContinuations(loaded, requests, { ...options, chat }),
  };
}
