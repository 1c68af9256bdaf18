import { InputError } from '@headwise/core';
import { type Prompt, promptIds, type TextOptions } from '@headwise/text';
import type { ChatTemplate, Tokenizer } from '@headwise/tokenizers';
import { z } from 'zod';
import { sharedLength } from '../options/shared-length.js';
import type { ContinuationScore, PromptModel, ScoreRequest, WrittenText } from '../prompt-model.js';
import { forcedScores, oneToken, tokenized } from './forced-scores.js';
import { type RequestOptions, Requests, ServerModelError } from './requests.js';
import { streamedText } from './streamed-text.js';

/** Options of `serverModel`. */
export interface ServerModelOptions extends RequestOptions {
  /** The name that requests call the model by. */
  model: string;
  /** The name that its answers carry, where that is another, such as that of a dated version. Default that of the requests. */
  answersAs?: string | undefined;
  /** Tokens that its context holds. Default unlimited; its tokens are then not counted. */
  contextLength?: number | undefined;
  /** Counts its tokens, for budgets. Default none: prompts with a budget are refused. */
  tokenizer?: Tokenizer | undefined;
  /** Counts the tokens of messages. */
  chatTemplate?: ChatTemplate | undefined;
}

/** A model behind a server. */
export interface ServerModel extends PromptModel {
  /**
   * Writes a text and gives its pieces as they come; returns what `write` gives.
   *
   * @throws CutStreamError with what came, where the server ends the stream before the text's end
   * @example
   * for await (const piece of model.stream('Call me', { maxNewTokens: 16 })) process.stdout.write(piece);
   */
  stream(prompt: Prompt, options?: TextOptions): AsyncGenerator<string, WrittenText>;
}

const usage = z.object({ prompt_tokens: z.number(), completion_tokens: z.number() });
const finish = z.string().nullish();
const completion = z.object({
  model: z.string(),
  choices: z.array(z.object({ text: z.string(), finish_reason: finish })).min(1),
  usage,
});
const chat = z.object({
  model: z.string(),
  choices: z
    .array(
      z.object({ message: z.object({ content: z.string().nullish() }), finish_reason: finish }),
    )
    .min(1),
  usage,
});
const logprobs = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
});
const echoed = z.object({
  model: z.string(),
  choices: z.array(z.object({ index: z.number(), logprobs })),
});
/** Of any form, and of the asked model. */
const ofModel = z.looseObject({ model: z.string() });
/** Log-probabilities of what was written, in the form of chats: llama.cpp passes over `echo`. */
const unechoed = z.object({
  choices: z.tuple(
    [z.object({ logprobs: z.object({ content: z.array(z.unknown()) }) })],
    z.unknown(),
  ),
});
/** A refusal to echo. */
const refusal = /\becho\b/i;

/**
 * A model behind a server in the form of OpenAI's API: `headwise serve`, llama.cpp, vLLM and others.
 *
 * Texts are continued by `/completions` and messages answered by `/chat/completions`. Scores are those of prompts that a server echoes with
 * log-probabilities in `/completions`, as ours and vLLM do, in one request for a prompt. llama.cpp's server does not echo: there each token of a
 * continuation is a request, with the server's `/tokenize` and `logit_bias`.
 *
 * @throws InputError for an address that is not one of HTTP, and numbers out of range
 * @example
 * const model = serverModel({ url: 'http://127.0.0.1:8080/v1', model: 'smollm2-135m' });
 */
export function serverModel({
  model,
  answersAs = model,
  contextLength = Number.POSITIVE_INFINITY,
  tokenizer,
  chatTemplate,
  ...options
}: ServerModelOptions): ServerModel {
  const requests = new Requests(options);
  const ask = async <T extends { readonly model: string }>(
    path: string,
    body: object,
    { schema, signal, final }: Asked<T>,
  ): Promise<T> => {
    const json = await requests.post(path, { model, ...body }, { signal, final });
    const where = `${options.url}${path}`;
    const checked = readAs(schema, json, where);
    if (checked.model === answersAs) return checked;
    throw new ServerModelError(
      `${where}: the answer is of the model '${checked.model}'; expected '${answersAs}'`,
    );
  };
  const written = async (prompt: Prompt, given: TextOptions): Promise<WrittenText> => {
    const { signal, ...fields } = fieldsOf(given);
    if (typeof prompt === 'string') {
      const answer = await ask(
        '/completions',
        { prompt, ...fields },
        { schema: completion, signal },
      );
      const { text, finish_reason: reason } = answer.choices[0]!;
      return { text, ...countsOf(answer.usage), reason: reason ?? 'unknown' };
    }
    const body = { messages: prompt, ...fields };
    const answer = await ask('/chat/completions', body, { schema: chat, signal });
    const { message, finish_reason: reason } = answer.choices[0]!;
    return { text: message.content ?? '', ...countsOf(answer.usage), reason: reason ?? 'unknown' };
  };
  const forced = forcedScores({
    where: `${options.url}/completions`,
    tokenize: async (content, { special, signal }) => {
      // Not under the version of the API.
      const address = `${options.url.replace(/\/+$/, '').replace(/\/v1$/, '')}/tokenize`;
      const body = { model, content, add_special: special };
      return readAs(tokenized, await requests.post(address, body, { signal }), address).tokens;
    },
    complete: (body, signal) => ask('/completions', body, { schema: oneToken, signal }),
  });
  let echoes: boolean | undefined;
  /** The answer with echoed prompts; undefined where the server does not echo. */
  const echo = async (prompt: readonly string[], signal: AbortSignal | undefined) => {
    const body = { prompt, echo: true, logprobs: 1, max_tokens: 0, temperature: 0 };
    try {
      const answer = await ask('/completions', body, { schema: ofModel, signal, final: refusal });
      if (unechoed.safeParse(answer).success) return undefined;
      return readAs(echoed, answer, `${options.url}/completions`);
    } catch (error) {
      if (error instanceof ServerModelError && refusal.test(error.message)) return undefined;
      throw error;
    }
  };
  const scored = async (
    request: ScoreRequest,
    signal: AbortSignal | undefined,
  ): Promise<ContinuationScore[]> => {
    const { prompt, continuations, place = 'the prompt' } = request;
    if (typeof prompt !== 'string') {
      throw new InputError(`${place}: is messages; expected a text: a server echoes texts alone`);
    }
    const texts = [prompt.trimEnd(), ...continuations.map((text) => prompt + text)];
    const answer = echoes === false ? undefined : await echo(texts, signal);
    echoes = answer !== undefined;
    if (!answer) return forced({ ...request, prompt }, signal);
    const { choices } = answer;
    if (choices.length !== texts.length) {
      throw new ServerModelError(
        `${place}: the server answers ${choices.length} of ${texts.length} prompts; expected all`,
      );
    }
    const [context, ...wholes] = [...choices].sort((a, b) => a.index - b.index);
    const shared = wholes.reduce(
      (least, { logprobs: { tokens } }) =>
        Math.min(least, sharedLength(context!.logprobs.tokens, tokens)),
      context!.logprobs.tokens.length,
    );
    return wholes.map(({ logprobs: { tokens, token_logprobs: logs, top_logprobs: top } }, n) => {
      const own = logs.slice(shared);
      if (shared === 0 || own.length === 0 || own.includes(null)) {
        throw new InputError(
          `${place}: '${continuations[n]}' has no tokens of its own behind the prompt; expected at least one before and one in it`,
        );
      }
      return {
        tokens: tokens.slice(shared),
        promptTokens: shared,
        logProbability: (own as number[]).reduce((sum, log) => sum + log, 0),
        isGreedy: greedyOf(own as number[], top?.slice(shared)),
      };
    });
  };
  return {
    name: model,
    contextLength,
    encode: (prompt) => {
      if (tokenizer) return promptIds({ chatTemplate }, tokenizer, prompt);
      throw new InputError(
        `the tokens of '${model}' at ${options.url} cannot be counted; expected its tokenizer`,
      );
    },
    write: (prompts, given = {}) => {
      const each = Array.isArray(given) ? (given as readonly TextOptions[]) : undefined;
      return Promise.all(
        prompts.map((prompt, n) => written(prompt, each ? each[n]! : (given as TextOptions))),
      );
    },
    stream: (prompt, given = {}) => {
      const { signal, ...fields } = fieldsOf(given);
      const [path, asked] =
        typeof prompt === 'string'
          ? ['/completions', { prompt }]
          : ['/chat/completions', { messages: prompt }];
      const body = { model, ...asked, ...fields };
      const events = requests.stream(
        path,
        { ...body, stream: true, stream_options: { include_usage: true } },
        signal,
      );
      const where = `${options.url}${path}`;
      return streamedText(events, { where, model: answersAs, signal });
    },
    score: async (all, { signal } = {}) => {
      // The first tells whether the server echoes: no other is sent in vain.
      const first = echoes === undefined ? all.slice(0, 1) : [];
      const scores = [];
      for (const one of first) scores.push(await scored(one, signal));
      const rest = all.slice(first.length).map((one) => scored(one, signal));
      return [...scores, ...(await Promise.all(rest))];
    },
  };
}

/** How a request is sent, and what its answer is read as. */
interface Asked<T> {
  schema: z.ZodType<T>;
  signal: AbortSignal | undefined;
  final?: RegExp | undefined;
}

/** An answer of a form. @throws ServerModelError naming the address, for one of another */
function readAs<T>(schema: z.ZodType<T>, json: unknown, where: string): T {
  const checked = schema.safeParse(json);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new ServerModelError(
    `${where}: the answer has no ${issue!.path.join('.') || 'object'} as expected: ${issue!.message}`,
  );
}

/** Whether each token is the likeliest; undefined where the server gives no others beside one. */
function greedyOf(
  logs: readonly number[],
  top: readonly (Readonly<Record<string, number>> | null)[] | undefined,
): boolean | undefined {
  const best = logs.map((_, n) => Object.values(top?.[n] ?? {}));
  if (best.some((others) => others.length === 0)) return undefined;
  return logs.every((log, n) => best[n]!.every((other) => other <= log));
}

const countsOf = ({ prompt_tokens, completion_tokens }: z.infer<typeof usage>) => ({
  tokens: completion_tokens,
  promptTokens: prompt_tokens,
});

/** Our names of options to those of the API. */
const names = {
  maxNewTokens: 'max_tokens',
  minNewTokens: 'min_tokens',
  temperature: 'temperature',
  topK: 'top_k',
  topP: 'top_p',
  minP: 'min_p',
  typicalP: 'typical_p',
  repetitionPenalty: 'repetition_penalty',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  stop: 'stop',
  stopIds: 'stop_token_ids',
  seed: 'seed',
} as const;

/** Options as fields of a request. @throws InputError for one that the API does not have */
function fieldsOf({ signal, ...options }: TextOptions): Record<string, unknown> & {
  signal: AbortSignal | undefined;
} {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const strange = given.find(([name]) => !Object.hasOwn(names, name));
  if (strange) {
    throw new InputError(
      `${strange[0]} is given for a model behind a server; expected one of ${Object.keys(names).join(', ')}`,
    );
  }
  const fields = given.map(([name, value]) => [names[name as keyof typeof names], value]);
  return { ...Object.fromEntries(fields), signal };
}
