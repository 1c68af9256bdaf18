import { InputError, type LanguageModel } from '@headwise/core';
import { type GenerateOptions, generate } from '@headwise/generation';
import type {
  ChatMessage,
  ChatTemplate,
  ChatTemplateOptions,
  Tokenizer,
} from '@headwise/tokenizers';

/** A language model with its generation settings. */
export interface TextModel {
  readonly network: LanguageModel;
  /** Settings that options are added to: end tokens, sampling, lengths. Default none. */
  readonly generation?: GenerateOptions | undefined;
  /** How messages become a text. Default none: prompts are texts. */
  readonly chatTemplate?: ChatTemplate | undefined;
}

/** A text to continue, or the messages of a chat to answer. */
export type Prompt = string | readonly ChatMessage[];

/** Options of generation, which win over the model's own. */
export interface TextOptions extends GenerateOptions {
  /** Of the chat template, where the prompt is messages. */
  chat?: Omit<ChatTemplateOptions, 'addGenerationPrompt'> | undefined;
}

/** A token, and the text that is complete with it. */
export interface TextPiece {
  /** Undefined for text that was held back and is certain at the end only. */
  id: number | undefined;
  /** Never half a character; empty where the character goes on in the next token. */
  text: string;
}

/**
 * Continues a text, or answers messages.
 *
 * Messages are written by the model's chat template; generation ends at the model's end tokens.
 *
 * @returns the continuation, without the prompt and without special tokens
 * @throws InputError for a prompt that is empty or too long, for messages to a model without a chat template, and for
 * options out of range
 * @example
 * const { model, tokenizer } = await load('models/smollm2-135m-instruct');
 * await generateText(model, tokenizer, [{ role: 'user', content: 'Who is Ishmael?' }], { maxNewTokens: 40 });
 */
export async function generateText(
  model: TextModel,
  tokenizer: Tokenizer,
  prompt: Prompt,
  options: TextOptions = {},
): Promise<string> {
  let text = '';
  for await (const piece of streamText(model, tokenizer, prompt, options)) text += piece.text;
  return text;
}

/**
 * Continues a text, or answers messages, token by token: the streaming form of `generateText`.
 *
 * @throws InputError as `generateText` does, at the first token
 * @example
 * for await (const { text } of streamText(model, tokenizer, 'Call me')) process.stdout.write(text);
 */
export async function* streamText(
  model: TextModel,
  tokenizer: Tokenizer,
  prompt: Prompt,
  { chat, ...options }: TextOptions = {},
): AsyncGenerator<TextPiece> {
  const ids = promptIds(model, tokenizer, prompt, chat);
  const decoder = tokenizer.decodeStream();
  // What a token looks like may depend on those before it, such as a space between words.
  for (const id of ids) decoder.push(id);
  for await (const id of generate(model.network, ids, settingsOf(model, options))) {
    yield { id, text: decoder.push(id) };
  }
  const rest = decoder.end();
  if (rest !== '') yield { id: undefined, text: rest };
}

function promptIds(
  { chatTemplate }: TextModel,
  tokenizer: Tokenizer,
  prompt: Prompt,
  chat: TextOptions['chat'],
): number[] {
  if (typeof prompt === 'string') {
    if (chat) throw new InputError('chat is given, but the prompt is a text; expected messages');
    return tokenizer.encode(prompt).ids;
  }
  if (!chatTemplate) {
    throw new InputError(
      'the prompt is messages, but the model has no chat template; expected a text',
    );
  }
  const text = chatTemplate.applyChatTemplate(prompt, { ...chat, addGenerationPrompt: true });
  // The template writes the special tokens itself.
  return tokenizer.encode(text, { addSpecialTokens: false }).ids;
}

/** The model's settings and the options over them; of two limits of the length, the one that is given counts. */
function settingsOf({ generation = {} }: TextModel, options: GenerateOptions): GenerateOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings = { ...generation, ...Object.fromEntries(given) };
  if (options.maxLength !== undefined && options.maxNewTokens === undefined) {
    return { ...settings, maxNewTokens: undefined };
  }
  return settings;
}
