import { score } from '@headwise/generation';
import type { Hono } from 'hono';
import { z } from 'zod';
import { type Answer, beginAnswers, piecesOf, wholeAnswer } from '../answer.js';
import { ApiError } from '../http/api-error.js';
import { checkedBody, readJsonBody } from '../http/body.js';
import { dataEvent, eventStream } from '../http/event-stream.js';
import type { ServedDecoder, Service } from '../service.js';
import {
  CompletionLogprobs,
  type CompletionLogprobsBody,
  joined,
  promptLogprobs,
} from './completion-logprobs.js';
import {
  checkSequences,
  idleFields,
  newId,
  now,
  refuseFields,
  samplingFields,
  settingsFrom,
  usageOf,
  withSeed,
} from './fields.js';
import { openAiErrorEvent } from './openai-error.js';

const ids = z.array(z.int().min(0));

const schema = z.strictObject({
  ...samplingFields,
  ...idleFields,
  model: z.string(),
  prompt: z.union([z.string(), z.array(z.string()).min(1), ids.min(1), z.array(ids).min(1)], {
    error: 'expected a text, ids of tokens, or a list of either',
  }),
  max_tokens: z.int().min(0).optional(),
  echo: z.boolean().optional(),
  logprobs: z.int().min(0).max(20).optional(),
  best_of: z.int().min(1).max(128).optional(),
});

type Body = z.infer<typeof schema>;

const refused = {
  suffix: 'the models continue a text and do not fill one in; leave it out',
};

/** OpenAI's number of new tokens where a request has none. */
const defaultTokens = 16;

/**
 * `POST /v1/completions`: continues texts or sequences of tokens.
 *
 * @see https://platform.openai.com/docs/api-reference/completions/create
 */
export function addCompletions(app: Hono, service: Service): void {
  app.post('/v1/completions', async (context) => {
    const json = await readJsonBody(context.req.raw, service.limits);
    refuseFields(json, refused);
    const body = checkedBody(schema, json);
    const request = new Completion(service, body, context.req.raw.signal);
    if (!body.stream) return context.json(await request.whole());
    return eventStream(request.events(), openAiErrorEvent(service));
  });
}

interface Prompt {
  readonly ids: readonly number[];
  /** Undefined for a prompt of ids. */
  readonly text: string;
}

/** One request. */
class Completion {
  readonly #body: Body;
  readonly #model: ServedDecoder;
  readonly #prompts: readonly Prompt[];
  readonly #answers: readonly Answer[];
  /** Answers that are computed for each prompt. */
  readonly #of: number;
  /** The log-probabilities of each prompt, where they are part of the answer. */
  readonly #scored: Promise<readonly CompletionLogprobsBody[]>;
  readonly #frame: { id: string; object: string; created: number; model: string };

  constructor(service: Service, body: Body, signal: AbortSignal) {
    this.#body = body;
    this.#model = service.decoderNamed(body.model);
    const { n = 1, best_of: of = n, max_tokens: maxNewTokens = defaultTokens } = body;
    checkCombination(body, of, n);
    this.#of = of;
    this.#prompts = promptsOf(this.#model, body.prompt);
    checkSequences(this.#prompts.length * of, service.limits.sequences);
    const settings = {
      ...settingsFrom(body, this.#model.model.generation, of),
      maxNewTokens,
    };
    const requests = this.#prompts.flatMap(({ ids: prompt }) =>
      Array.from({ length: of }, (_, i) => ({
        model: this.#model,
        prompt,
        options: withSeed(settings, i),
        alternatives: body.logprobs,
      })),
    );
    this.#answers = beginAnswers(service, requests, signal);
    for (const { ids } of this.#prompts) service.countTokens.prompt(ids.length);
    this.#scored = this.#scorePrompts(service, signal);
    // Where an answer fails first, nobody waits for them.
    this.#scored.catch(() => {});
    this.#frame = {
      id: newId('cmpl'),
      object: 'text_completion',
      created: now(),
      model: this.#model.name,
    };
  }

  async whole(): Promise<object> {
    const { n = 1, echo, logprobs } = this.#body;
    const whole = await Promise.all(this.#answers.map(wholeAnswer));
    const scored = await this.#scored;
    const choices = this.#prompts.flatMap((prompt, p) => {
      const answers = whole.slice(p * this.#of, (p + 1) * this.#of);
      return likeliest(answers, n).map(({ text, pieces, finish, endToken }, i) => {
        const before = echo ? prompt.text : '';
        const own = new CompletionLogprobs(this.#model.tokenizer, before).of(pieces, endToken);
        return {
          index: p * n + i,
          text: before + text,
          logprobs: logprobs === undefined ? null : scored[p] ? joined(scored[p], own) : own,
          finish_reason: finish,
        };
      });
    });
    const completion = whole.reduce((sum, { tokens }) => sum + tokens, 0);
    return { ...this.#frame, choices, usage: usageOf(this.#promptTokens, completion) };
  }

  async *events(): AsyncGenerator<string, void> {
    const { echo, logprobs, stream_options: options } = this.#body;
    const log = this.#answers.map(
      (_, index) => new CompletionLogprobs(this.#model.tokenizer, echo ? this.#prompt(index) : ''),
    );
    const chunk = (index: number, text: string, more: object = {}) =>
      dataEvent({
        ...this.#frame,
        choices: [{ index, text, logprobs: null, finish_reason: null, ...more }],
      });
    let echoed = !echo;
    try {
      for await (const { index, piece } of piecesOf(this.#answers)) {
        // After the first token, before which a request may still be refused.
        if (!echoed) {
          const scored = await this.#scored;
          for (const i of this.#answers.keys()) {
            const own = scored[Math.floor(i / this.#of)];
            yield chunk(i, this.#prompt(i), own ? { logprobs: own } : {});
          }
        }
        echoed = true;
        if (!piece) {
          const { finish, endToken } = this.#answers[index]!;
          const own = endToken && logprobs !== undefined;
          yield chunk(index, '', {
            finish_reason: finish,
            ...(own ? { logprobs: log[index]!.of([], endToken) } : {}),
          });
          continue;
        }
        const { text } = piece;
        const own = logprobs === undefined ? {} : { logprobs: log[index]!.of([piece]) };
        if (text !== '' || logprobs !== undefined) yield chunk(index, text, own);
      }
      if (options?.include_usage) {
        const completion = this.#answers.reduce((sum, { tokens }) => sum + tokens, 0);
        yield dataEvent({
          ...this.#frame,
          choices: [],
          usage: usageOf(this.#promptTokens, completion),
        });
      }
      yield 'data: [DONE]\n\n';
    } finally {
      for (const answer of this.#answers) answer.cancel();
    }
  }

  async #scorePrompts(
    { engine }: Service,
    signal: AbortSignal,
  ): Promise<readonly CompletionLogprobsBody[]> {
    const { echo, logprobs } = this.#body;
    if (!echo || logprobs === undefined) return [];
    const { model, tokenizer } = this.#model;
    return Promise.all(
      this.#prompts.map(async ({ ids }) => {
        const options = { alternatives: logprobs, signal };
        const scored = () => score(model.network, ids.slice(0, 1), ids.slice(1), options);
        return promptLogprobs(tokenizer, ids, (await engine.run(scored, signal)).tokens);
      }),
    );
  }

  get #promptTokens(): number {
    return this.#prompts.reduce((sum, { ids }) => sum + ids.length, 0);
  }

  #prompt(index: number): string {
    return this.#prompts[Math.floor(index / this.#of)]!.text;
  }
}

function checkCombination({ stream }: Body, of: number, n: number): void {
  const refuse = (param: string, message: string) => {
    throw new ApiError(400, message, { param });
  };
  if (of < n)
    refuse('best_of', `best_of is ${of} and n is ${n}; expected best_of to be at least n`);
  if (stream && of > n) {
    refuse('best_of', `best_of is ${of} and n is ${n} with stream; expected best_of to be n`);
  }
}

function promptsOf({ tokenizer }: ServedDecoder, given: Body['prompt']): Prompt[] {
  const list = typeof given === 'string' || typeof given[0] === 'number' ? [given] : given;
  return (list as readonly (string | readonly number[])[]).map((prompt) =>
    typeof prompt === 'string'
      ? { ids: tokenizer.encode(prompt).ids, text: prompt }
      : { ids: prompt, text: tokenizer.decode(prompt, { skipSpecialTokens: false }) },
  );
}

type Whole = Awaited<ReturnType<typeof wholeAnswer>>;

/** The answers whose tokens have the highest mean log-probability, best first; all of them as they come where none is left out. */
function likeliest(answers: readonly Whole[], n: number): readonly Whole[] {
  if (answers.length === n) return answers;
  const mean = ({ pieces }: Whole) => {
    const logs = pieces.flatMap(({ token }) => (token ? [token.logProbability] : []));
    return logs.length === 0 ? 0 : logs.reduce((sum, log) => sum + log, 0) / logs.length;
  };
  return [...answers].sort((a, b) => mean(b) - mean(a)).slice(0, n);
}
