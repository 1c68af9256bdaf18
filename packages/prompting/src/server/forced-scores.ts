import { InputError } from '@headwise/core';
import { z } from 'zod';
import { sharedLength } from '../options/shared-length.js';
import type { ContinuationScore, ScoreRequest } from '../prompt-model.js';
import { ServerModelError } from './requests.js';

/** What llama.cpp's server tells of a token that it wrote. */
interface Told {
  id: number;
  logprob: number;
  top_logprobs: { id: number; logprob: number }[];
}

interface OneToken {
  model: string;
  choices: { logprobs: { content: Told[] } | null }[];
}

const top = z.object({ id: z.number(), logprob: z.number() });
const told = top.extend({ top_logprobs: z.array(top).min(1) });

/** The form of llama.cpp's answer of one token, with log-probabilities. */
export const oneToken: z.ZodType<OneToken> = z.object({
  model: z.string(),
  choices: z
    .array(z.object({ logprobs: z.object({ content: z.array(told).min(1) }).nullable() }))
    .min(1),
});

/** The form of the answer of llama.cpp's `/tokenize`. */
export const tokenized: z.ZodType<{ tokens: number[] }> = z.object({ tokens: z.array(z.number()) });

/** A server that does not echo prompts, but takes ids as a prompt. */
export interface IdServer {
  /** The address and the model, for errors. */
  readonly where: string;
  /** The ids of a text, with or without the special tokens around it. */
  tokenize(
    text: string,
    options: { special: boolean; signal: AbortSignal | undefined },
  ): Promise<readonly number[]>;
  /** What a request of `/completions` for one token is answered. */
  complete(body: object, signal: AbortSignal | undefined): Promise<OneToken>;
}

/** Far above any logit, and exact in float32. */
const bias = 1e6;
/** How many of the likeliest tokens are asked for where one is not told of itself: first some, then all. */
const many = [1000, 1_000_000];

/**
 * Scores continuations by a server that does not echo prompts, as llama.cpp's: each token of a continuation is what the server must write next,
 * through `logit_bias`, and it tells the log-probability that the model gave it.
 *
 * It takes a request for the tokens of each text, and one for each token of each continuation; tokens that continuations begin alike are asked for
 * once. The server keeps the prompt, so that each request reads one token more than the last. Of a token that ends within a character, such as a
 * byte of an emoji, llama.cpp tells nothing: it is looked up among the 1000 likeliest next tokens, and then among all, which are megabytes of an answer.
 * The first request finds out whether the log-probabilities are the model's own, before the bias.
 */
export function forcedScores(
  server: IdServer,
): (
  request: ScoreRequest & { readonly prompt: string },
  signal: AbortSignal | undefined,
) => Promise<ContinuationScore[]> {
  let raw: Promise<number> | undefined;
  let trailing: Promise<number> | undefined;
  /** How many special tokens the server puts behind a text, such as an end token: they are not part of a continuation. */
  const behind = async (signal: AbortSignal | undefined) => {
    const [bare, whole] = await Promise.all(
      [false, true].map((special) => server.tokenize('.', { special, signal })),
    );
    return whole!.length - 1 - whole!.lastIndexOf(bare!.at(-1)!);
  };
  /** What is told of a token that the server must write; undefined for one that ends within a character. */
  const force = async (
    ids: readonly number[],
    forced: number,
    { logprobs = 1, signal }: { logprobs?: number; signal: AbortSignal | undefined },
  ) => {
    const body = { prompt: ids, max_tokens: 1, logprobs, temperature: 1, cache_prompt: true };
    const answer = await server.complete({ ...body, logit_bias: { [forced]: bias } }, signal);
    const written = answer.choices[0]!.logprobs?.content[0];
    if (!written || written.id === forced) return written;
    throw new ServerModelError(
      `${server.where}: the server writes token ${written.id}; expected ${forced}, to which logit_bias adds ${bias}`,
    );
  };
  /** A token that is a character, where one of two that are forced is not made the likeliest by that. */
  const checked = async (ids: readonly number[], signal: AbortSignal | undefined) => {
    const likeliest = [];
    for (const text of ['.', ',']) {
      const id = (await server.tokenize(text, { special: false, signal })).at(-1)!;
      const written = await force(ids, id, { signal });
      if (written && likeliestOf(written).id !== id) return id;
      likeliest.push(text);
    }
    throw new ServerModelError(
      `${server.where}: the server finds likeliest what logit_bias makes so, '${likeliest.join("' and '")}'; expected the model's own log-probabilities`,
    );
  };
  const scored = async (
    ids: readonly number[],
    forced: number,
    signal: AbortSignal | undefined,
  ): Promise<Told> => {
    const written = await force(ids, forced, { signal });
    if (written) return written;
    for (const logprobs of many) {
      const whole = await force(ids, await raw!, { logprobs, signal });
      const found = whole?.top_logprobs.find(({ id }) => id === forced);
      if (found) return { ...found, top_logprobs: whole!.top_logprobs };
    }
    throw new ServerModelError(
      `${server.where}: the server tells no log-probability of token ${forced}; expected it among all`,
    );
  };
  return async ({ prompt, continuations, place = 'the prompt' }, signal) => {
    const texts = [prompt.trimEnd(), ...continuations.map((text) => prompt + text)];
    trailing ??= behind(signal).catch((error) => {
      trailing = undefined;
      throw error;
    });
    const after = await trailing;
    const [context, ...wholes] = await Promise.all(
      texts.map(async (text) => {
        const ids = await server.tokenize(text, { special: true, signal });
        return ids.slice(0, ids.length - after);
      }),
    );
    const shared = wholes.reduce(
      (least, ids) => Math.min(least, sharedLength(context!, ids)),
      context!.length,
    );
    for (const [n, { length }] of wholes.entries()) {
      if (shared > 0 && length > shared) continue;
      throw new InputError(
        `${place}: '${continuations[n]}' has no tokens of its own behind the prompt; expected at least one before and one in it`,
      );
    }
    raw ??= checked(context!.slice(0, shared), signal).catch((error) => {
      raw = undefined;
      throw error;
    });
    await raw;
    const asked = new Map<string, Promise<Told>>();
    const lastOf = (ids: readonly number[]) => {
      const key = ids.join();
      if (!asked.has(key)) asked.set(key, scored(ids.slice(0, -1), ids.at(-1)!, signal));
      return asked.get(key)!;
    };
    return Promise.all(
      wholes.map(async (ids) => {
        let [logProbability, isGreedy] = [0, true];
        // One after the other: the server has read all but the last.
        for (let end = shared + 1; end <= ids.length; end++) {
          const token = await lastOf(ids.slice(0, end));
          logProbability += token.logprob;
          isGreedy &&= likeliestOf(token).logprob <= token.logprob;
        }
        return { tokens: ids.slice(shared), promptTokens: shared, logProbability, isGreedy };
      }),
    );
  };
}

const likeliestOf = ({ top_logprobs }: Told) => top_logprobs[0]!;
