import { type Prompt, promptIds, type TextModel, type TextOptions } from '@headwise/text';
import type { Tokenizer } from '@headwise/tokenizers';

/** Reads prompts as the tokens of a model. */
export interface PromptReader {
  /** Tokens that prompt and answer have together at most. */
  readonly contextLength: number;
  /** The ids that a prompt is given to the model as. */
  encode(prompt: Prompt): readonly number[];
}

/**
 * How a loaded model reads prompts: through its tokenizer, and messages through its chat template.
 *
 * @param chat options of the chat template
 * @example
 * const reader = promptReader(await load('models/smollm2-135m-instruct'));
 */
export function promptReader(
  { model, tokenizer }: { readonly model: TextModel; readonly tokenizer: Tokenizer },
  chat?: TextOptions['chat'],
): PromptReader {
  return {
    contextLength: model.network.maxLength,
    encode: (prompt) =>
      promptIds(model, tokenizer, prompt, typeof prompt === 'string' ? undefined : chat),
  };
}
