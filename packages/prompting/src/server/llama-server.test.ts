import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Prompt } from '@headwise/text';
import { load } from '@headwise/text/node';
import { afterAll, beforeEach, expect, test } from 'vitest';
import golden from '../goldens/llama-server.json' with { type: 'json' };
import { chooseOptions, localModel, serverModel, serverModels } from '../index.js';

type Answer = Pick<(typeof golden.exchanges)[number], 'status' | 'type' | 'answer'>;

/** Fields of requests that are looked at. */
interface Body {
  echo?: boolean;
  prompt?: unknown;
  logprobs?: number;
  logit_bias?: object;
  add_special?: boolean;
}

/** What llama.cpp's server answered, by what it was asked. */
const answers = new Map<string, Answer>(
  golden.exchanges.map((one) => [keyOf(one.method, one.path, one.body), one]),
);
/** In place of the next answers. */
const faults: Answer[] = [];
const seen: { path: string; body: Body | null }[] = [];
/** Changes answers, as a server of another kind. */
let changed: (answer: Answer, body: Body | null) => Answer;

const http = createServer(async (request, response) => {
  let text = '';
  for await (const piece of request) text += piece;
  const body = text === '' ? null : JSON.parse(text);
  seen.push({ path: request.url!, body });
  const recorded = faults.shift() ?? answers.get(keyOf(request.method!, request.url!, body));
  const unknown = { status: 404, type: 'text/plain', answer: `not recorded: ${text}` };
  const { status, type, answer } = changed(recorded ?? unknown, body);
  response.writeHead(status, { 'content-type': type });
  response.end(answer);
});
await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`;
const loaded = await load(fileURLToPath(new URL('../goldens/llama', import.meta.url)));
const local = localModel(loaded);
const remote = () => serverModel({ url, model: 'tiny', wait: 1 });
beforeEach(() => {
  faults.length = 0;
  seen.length = 0;
  changed = (answer) => answer;
});
afterAll(async () => {
  await new Promise((closed) => http.close(closed));
  loaded.model.params.dispose();
});

const { pairs, bytes, question, likeliest, long } = golden.asked;
const prompts = golden.asked.prompts as Prompt[];
const greedy = { temperature: 0, maxNewTokens: 12 };
const requests = [
  ...(pairs as [string, string][]).map(([prompt, text]) => ({ prompt, continuations: [text] })),
  { prompt: 'The Work', continuations: [likeliest, ' zz'] },
  bytes,
];

test('texts, chats and streams are those of the model in this process', async () => {
  expect(await serverModels({ url })).toEqual(['tiny']);
  const here = await local.write(prompts, greedy);
  expect(await remote().write(prompts, greedy)).toEqual(here);
  for (const [n, prompt] of prompts.entries()) {
    const stream = remote().stream(prompt, greedy);
    const pieces = [];
    let next = await stream.next();
    for (; !next.done; next = await stream.next()) pieces.push(next.value);
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe(here[n]!.text);
    expect(next.value).toEqual(here[n]);
  }
});

test('scores without echo, token by token: those of the model in this process and of lm-evaluation-harness', async () => {
  const model = remote();
  const there = (await model.score(requests)).flat();
  const here = (await local.score(requests)).flat();
  for (const [n, { logProbability, ...rest }] of here.entries()) {
    expect(Math.abs(there[n]!.logProbability - logProbability)).toBeLessThan(1e-4);
    expect(there[n]).toMatchObject(rest);
  }
  for (const [n, [, , log]] of pairs.entries()) {
    expect(Math.abs(there[n]!.logProbability - (log as number))).toBeLessThan(1e-4);
  }
  expect(new Set(there.map(({ isGreedy }) => isGreedy))).toEqual(new Set([true, false]));
  // Once asked to echo; and what is not told of a byte is looked up among many.
  expect(seen.filter(({ body }) => body?.echo)).toHaveLength(1);
  expect(seen.filter(({ body }) => body?.logprobs === 1000)).not.toHaveLength(0);
  const before = seen.length;
  const [chosen] = await chooseOptions(model, [question]);
  const [own] = await chooseOptions(local, [question]);
  expect(chosen!.index).toBe(own!.index);
  expect(chosen!.probabilities).toEqual(own!.probabilities.map((p) => expect.closeTo(p, 4)));
  // A request for each text and the prompt, and one for each token, where two options begin alike but once.
  const tokens = seen.slice(before).filter(({ path }) => path === '/v1/completions');
  const asked = new Set(tokens.map(({ body }) => JSON.stringify([body!.prompt, body!.logit_bias])));
  expect(asked.size).toBe(tokens.length);
  expect(seen.slice(before).filter(({ path }) => path === '/tokenize')).toHaveLength(4);
});

test('a server that refuses to echo is asked once, and not again as after a failure', async () => {
  changed = (answer, body) =>
    body?.echo
      ? {
          status: 500,
          type: 'application/json',
          answer:
            '{"error":{"code":500,"message":"Only no echo is supported","type":"server_error"}}',
        }
      : answer;
  const [[score]] = (await remote().score([requests[0]!])) as never as [
    [{ logProbability: number }],
  ];
  expect(score.logProbability).toBeCloseTo(pairs[0]![2] as number, 4);
  expect(seen.filter(({ body }) => body?.echo)).toHaveLength(1);
});

test('a token that is not among the 1000 likeliest is looked up among all', async () => {
  const all = golden.exchanges.find(({ body }) => (body as Body | null)?.logprobs === 1000)!;
  changed = (answer, body) => {
    if (body?.logprobs === 1_000_000) return all;
    return body?.logprobs === 1000 ? told(answer, (token) => token.top_logprobs.splice(9)) : answer;
  };
  const [, there] = await remote().score([requests[0]!, bytes]);
  const [here] = await local.score([bytes]);
  expect(there!.map(({ logProbability }) => logProbability)).toEqual(
    here!.map(({ logProbability }) => expect.closeTo(logProbability, 4)),
  );
  expect(seen.filter(({ body }) => body?.logprobs === 1_000_000)).toHaveLength(1);
});

test('special tokens that a server puts behind a text are not scored', async () => {
  const end = (answer: Answer, ids: number[]) => ({
    ...answer,
    answer: JSON.stringify({ tokens: ids }),
  });
  changed = (answer, body) =>
    body?.add_special ? end(answer, [...JSON.parse(answer.answer).tokens, 1]) : answer;
  const [[score]] = (await remote().score([requests[0]!])) as never as [
    [{ logProbability: number }],
  ];
  expect(score.logProbability).toBeCloseTo(pairs[0]![2] as number, 4);
});

test('log-probabilities after the bias are refused, and a token that was not forced', async () => {
  changed = (answer, body) =>
    body?.logit_bias
      ? told(answer, (token) => token.top_logprobs.splice(0, 1, { id: token.id, logprob: 0 }))
      : answer;
  await expect(remote().score([requests[0]!])).rejects.toThrow(
    `${url}/completions: the server finds likeliest what logit_bias makes so, '.' and ','; expected the model's own log-probabilities`,
  );
  changed = (answer, body) => (body?.logit_bias ? told(answer, (token) => token.id++) : answer);
  await expect(remote().score([requests[0]!])).rejects.toThrow(
    /\/completions: the server writes token \d+; expected \d+, to which logit_bias adds 1000000/,
  );
});

test('failures are sent again, and what is refused is told', async () => {
  const fault = (status: number) => ({ status, type: 'text/plain', answer: 'busy' });
  faults.push(fault(429), fault(500));
  expect(await remote().write([prompts[0]!], greedy)).toEqual(
    await local.write([prompts[0]!], greedy),
  );
  expect(seen).toHaveLength(3);
  const other = serverModel({ url, model: 'other' });
  await expect(other.write(['a'])).rejects.toThrow(
    `${url}/completions: the answer is of the model 'tiny'; expected 'other'`,
  );
  const known = remote();
  await known.score([requests[0]!]);
  for (const refused of [
    () => remote().write([long], greedy),
    () => known.score([{ prompt: long, continuations: ['x'] }]),
  ]) {
    await expect(refused()).rejects.toThrow(
      /status 400: request \(\d+ tokens\) exceeds the available context size \(256 tokens\)/,
    );
  }
});

function keyOf(method: string, path: string, body: object | null): string {
  return `${method} ${path} ${JSON.stringify(body)}`;
}

/** An answer whose tokens are told otherwise. */
function told(
  answer: Answer,
  change: (token: { id: number; top_logprobs: unknown[] }) => void,
): Answer {
  const json = JSON.parse(answer.answer);
  for (const { logprobs } of json.choices)
    for (const token of logprobs?.content ?? []) change(token);
  return { ...answer, answer: JSON.stringify(json) };
}
