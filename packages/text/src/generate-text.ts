import { InputError, isEncoderDecoder, quoted } from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import {
  type GenerateOptions,
  type Generator,
  generate,
  RunningBatch,
  type StopReason,
  stream,
  type TokenProbability,
} from '@headwise/generation';
import type {
  ChatMessage,
  ChatTemplate,
  ChatTemplateOptions,
  Tokenizer,
} from '@headwise/tokenizers';
import { inLanguage, type Languages, writtenIn } from './languages.js';
import { TextDecoding } from './text-decoding.js';

/** A decoder, or an encoder-decoder, with its generation settings. */
export interface TextModel {
  readonly network: Generator;
  /** Settings that options are added to: end tokens, sampling, lengths. Default none. */
  readonly generation?: TextSettings | undefined;
  /** How messages become a text. Default none: prompts are texts. */
  readonly chatTemplate?: ChatTemplate | undefined;
}

/** A text to continue, or the messages of a chat to answer. */
export type Prompt = string | readonly ChatMessage[];

/** Options of generation, in tokens and in texts. */
export interface TextSettings extends GenerateOptions {
  /** Texts that end generation; they are left out of the result, and may begin and end within tokens. Default none. */
  stop?: string | readonly string[] | undefined;
}

/** Options of generation, which win over the model's own. */
export interface TextOptions extends TextSettings {
  /** Of the chat template, where the prompt is messages. */
  chat?: Omit<ChatTemplateOptions, 'addGenerationPrompt'> | undefined;
  /** Of a model that translates between several (mBART, M2M100, NLLB): of the prompt, and of what is written. */
  languages?: Languages | undefined;
}

export interface StreamTextOptions extends TextOptions {
  /**
   * Give the log-probability of each token, and this many of the likeliest tokens in its place; default neither, which is
   * faster: tokens run ahead.
   */
  alternatives?: number | undefined;
}

/** A token, and the text that is certain with it. */
export interface TextPiece {
  /** Undefined for text that was held back and is certain at the end only. */
  id: number | undefined;
  /** Never half a character or the beginning of a stop text; empty where either goes on in the next token. */
  text: string;
  /** Where `alternatives` is given: the natural logarithm of the token's probability. */
  logProbability?: number | undefined;
  /** Where `alternatives` is given: the likeliest tokens, best first. */
  alternatives?: readonly TokenProbability[] | undefined;
}

/**
 * Continues a text, or answers messages; an encoder-decoder reads the prompt and writes a text of its own, such as a translation.
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
 * Continues a text, or answers messages, token by token: the streaming form of `generateText`. Returns why it ended.
 *
 * @throws InputError as `generateText` does, at the first token
 * @example
 * for await (const { text } of streamText(model, tokenizer, 'Call me')) process.stdout.write(text);
 */
export async function* streamText(
  model: TextModel,
  tokenizer: Tokenizer,
  prompt: Prompt,
  { chat, languages = {}, alternatives, ...given }: StreamTextOptions = {},
): AsyncGenerator<TextPiece, StopReason> {
  const ids = promptIds(model, tokenizer, prompt, chat, languages.source);
  const { stop, ...options } = settingsOf(model, { ...given, ...writtenIn(tokenizer, languages) });
  // An encoder-decoder writes a text of its own.
  const before = isEncoderDecoder(model.network) ? [] : ids;
  const decoder = new TextDecoding(tokenizer, before, stop);
  const tokens = tokensOf(model.network, ids, options, alternatives);
  try {
    for (;;) {
      const next = await tokens.next();
      const piece = next.done ? decoder.end() : decoder.push(next.value.id);
      if (!next.done) yield { ...next.value, text: piece.text };
      else if (piece.text !== '') yield { id: undefined, text: piece.text };
      if (piece.stop !== undefined) return 'stop';
      if (next.done) return next.value;
    }
  } finally {
    await tokens.return('signal');
  }
}

type TokenPiece = Omit<TextPiece, 'text' | 'id'> & { id: number };

/** The tokens, with their probabilities where alternatives are asked for. */
async function* tokensOf(
  network: Generator,
  ids: readonly number[],
  options: GenerateOptions,
  alternatives: number | undefined,
): AsyncGenerator<TokenPiece, StopReason> {
  if (isEncoderDecoder(network)) return yield* writtenTokens(network, ids, options, alternatives);
  if (alternatives !== undefined) return yield* stream(network, ids, { ...options, alternatives });
  const tokens = generate(network, ids, options);
  try {
    for (let next = await tokens.next(); ; next = await tokens.next()) {
      if (next.done) return next.value;
      yield { id: next.value };
    }
  } finally {
    await tokens.return('signal');
  }
}

/** The tokens that an encoder-decoder writes about what it reads. */
async function* writtenTokens(
  network: Generator,
  ids: readonly number[],
  options: GenerateOptions,
  alternatives: number | undefined,
): AsyncGenerator<TokenPiece, StopReason> {
  const batch = new RunningBatch(network, { storage: options.storage });
  try {
    batch.add(ids, options, { alternatives });
    for (;;) {
      for (const { token, reason, error } of await batch.step()) {
        if (token) yield alternatives === undefined ? { id: token.id } : token;
        if (reason === 'error') throw error;
        if (reason) return reason;
      }
      await nextTask();
    }
  } finally {
    batch.dispose();
  }
}

/**
 * The ids that a prompt is given to the model as: of a text with the tokenizer's special tokens, of messages with those
 * that the chat template writes.
 *
 * @param language of the text, where it is not the tokenizer's own
 * @throws InputError for messages to a model without a chat template, for `chat` with a text, and for an unknown language
 */
export function promptIds(
  { chatTemplate }: Pick<TextModel, 'chatTemplate'>,
  tokenizer: Tokenizer,
  prompt: Prompt,
  chat?: TextOptions['chat'],
  language?: string,
): number[] {
  if (typeof prompt === 'string') {
    if (chat) throw new InputError('chat is given, but the prompt is a text; expected messages');
    const encoded = tokenizer.encode(prompt);
    return language === undefined ? encoded.ids : inLanguage(tokenizer, encoded, language);
  }
  if (language !== undefined) {
    throw new InputError(
      `languages: 'source' is ${quoted(language)}, but the prompt is messages; expected a text`,
    );
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
export function settingsOf({ generation = {} }: TextModel, options: TextSettings): TextSettings {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings = { ...generation, ...Object.fromEntries(given) };
  if (options.maxLength !== undefined && options.maxNewTokens === undefined) {
    return { ...settings, maxNewTokens: undefined };
  }
  return settings;
}
