import {
  InvalidPromptError,
  type LanguageModelV4,
  type LanguageModelV4CallOptions,
  type LanguageModelV4Content,
  type LanguageModelV4ResponseMetadata,
  type LanguageModelV4StreamPart,
  type SharedV4Warning,
} from '@ai-sdk/provider';
import type { PrefixCache } from '@headwise/generation';
import { type Prompt, promptIds, readsTools, type TextModel } from '@headwise/text';
import type { ChatMessage, Tokenizer } from '@headwise/tokenizers';
import { answerParts, type Question } from './answer.js';
import { type JsonConstraint, jsonGrammar } from './json.js';
import { chatMessages } from './messages.js';
import { type ProviderOptions, settingsOf } from './settings.js';

export type { JsonConstraint, ProviderOptions };

/** What `load` of `@headwise/text` gives, or a model and a tokenizer of one's own. */
export interface TextInAndOut {
  readonly model: TextModel;
  readonly tokenizer: Tokenizer;
}

export interface LanguageModelOptions {
  /** The model's name in results; default `model`. */
  modelId?: string | undefined;
  /** Constrains structured output to JSON of the call's schema. Default: `createGrammar(tokenizer)` of `@headwise/grammar`. */
  jsonConstraint?: JsonConstraint | undefined;
  /** Keys and values of earlier prompts of the network, as a conversation begins with them again; stays the caller's. Default none. */
  prefixCache?: PrefixCache | undefined;
}

/**
 * A model that runs here as a language model of the AI SDK.
 *
 * Messages are written by the model's chat template. Without one, a single message of a user is a text to continue. An answer
 * has at most `maxOutputTokens`, else what the folder's generation settings say, else what the context leaves, up to 512.
 *
 * @example
 * const model = languageModel(await load('https://models.example/smollm2-135m-instruct'));
 * const { text } = await generateText({ model, prompt: 'Who is Ishmael?' });
 * @see https://ai-sdk.dev/docs
 */
export function languageModel(
  text: TextInAndOut,
  {
    modelId = 'model',
    jsonConstraint = jsonGrammar(text.tokenizer),
    prefixCache,
  }: LanguageModelOptions = {},
): LanguageModelV4 {
  const asked = async (call: LanguageModelV4CallOptions): Promise<Asked> => {
    call.abortSignal?.throwIfAborted();
    const { question, warnings } = await questionOf(text, call, jsonConstraint);
    const response = { id: crypto.randomUUID(), modelId, timestamp: new Date() };
    const options = { ...question.options, ...(prefixCache ? { prefixCache } : {}) };
    return { parts: answerParts({ ...question, options }), warnings, response };
  };
  return {
    specificationVersion: 'v4',
    provider: 'headwise',
    modelId,
    supportedUrls: {},
    async doGenerate(call) {
      const { parts, warnings, response } = await asked({ ...call, includeRawChunks: false });
      const content: LanguageModelV4Content[] = [];
      let text = '';
      for await (const part of parts) {
        if (part.type === 'text-delta') text += part.delta;
        else if (part.type === 'tool-call') content.push(part);
        else if (part.type === 'text-end') {
          content.push({ type: 'text', text });
          text = '';
        } else if (part.type === 'finish') {
          const { usage, finishReason } = part;
          return { content, usage, finishReason, warnings, response };
        }
      }
      throw new Error('the answer ended without a finish');
    },
    doStream: async (call) => ({ stream: streamOf(await asked(call), call.abortSignal) }),
  };
}

/** An answer before its first part. */
interface Asked {
  parts: AsyncGenerator<LanguageModelV4StreamPart>;
  warnings: SharedV4Warning[];
  response: LanguageModelV4ResponseMetadata;
}

async function questionOf(
  { model, tokenizer }: TextInAndOut,
  call: LanguageModelV4CallOptions,
  jsonConstraint: JsonConstraint,
): Promise<{ question: Question; warnings: SharedV4Warning[] }> {
  const { options, tools: given, warnings } = await settingsOf(call, model, jsonConstraint);
  const messages = chatMessages(call.prompt);
  const { chatTemplate } = model;
  const prompt = chatTemplate ? messages : textAlone(messages, call.prompt);
  const tools =
    given && chatTemplate && readsTools(chatTemplate, messages, given) ? given : undefined;
  if (given && !tools) {
    const details = chatTemplate
      ? 'the chat template does not write them'
      : 'the model has no chat template';
    warnings.push({ type: 'unsupported', feature: 'tools', details });
  }
  const chat = chatTemplate && { ...options.chat, tools };
  const { length } = promptIds(model, tokenizer, prompt, chat);
  const left = Math.max(1, Math.min(mostTokens, model.network.maxLength - length));
  const { maxNewTokens, maxLength } = model.generation ?? {};
  const most = options.maxNewTokens ?? maxNewTokens ?? (maxLength === undefined ? left : undefined);
  const question = {
    model,
    tokenizer,
    prompt,
    length,
    options: { ...options, chat, maxNewTokens: most },
    tools: tools?.map((tool) => tool.function.name),
    raw: call.includeRawChunks ?? false,
  };
  return { question, warnings };
}

/** Where nothing else bounds an answer. */
const mostTokens = 512;

/** @throws InvalidPromptError unless the messages are one of a user, which a model without a template can continue */
function textAlone(messages: readonly ChatMessage[], prompt: unknown): Prompt {
  const [message] = messages;
  if (messages.length === 1 && message?.role === 'user') return message.content as string;
  const given = messages.map(({ role }) => role).join(', ');
  throw new InvalidPromptError({
    prompt,
    message: `the model has no chat template and continues one text of a user; given: ${given}. load takes a chatTemplate`,
  });
}

/** The answer as a stream that computes on demand; an error is a part of it, an abort ends it. */
function streamOf(
  { parts, warnings, response }: Asked,
  signal: AbortSignal | undefined,
): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream<LanguageModelV4StreamPart>({
    start(controller) {
      controller.enqueue({ type: 'stream-start', warnings });
      controller.enqueue({ type: 'response-metadata', ...response });
    },
    async pull(controller) {
      try {
        const next = await parts.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        if (signal?.aborted) return controller.error(error);
        controller.enqueue({ type: 'error', error });
        controller.close();
      }
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
}
