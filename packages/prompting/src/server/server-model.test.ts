import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import golden from '../goldens/options.json' with { type: 'json' };
import {
  chooseOptions,
  definePrompt,
  localModel,
  runStep,
  ServerModelError,
  type ServerModelOptions,
  serverModel,
  serverModels,
  writeSlot,
} from '../index.js';
import { status, tinyServer } from './tiny-server.cases.js';

const { loaded, server, faults, seen, url, close } = await tinyServer();
const local = localModel(loaded);
afterAll(close);
beforeEach(() => {
  faults.length = 0;
  seen.length = 0;
});

const remote = (more: Partial<ServerModelOptions> = {}) =>
  serverModel({ url, model: 'tiny', wait: 1, ...more });
const options = { maxNewTokens: 4, temperature: 0.8, seed: 3 };

describe('a model behind our server is the model in this process', () => {
  test('texts and chats, many at once', async () => {
    const prompts = ['The license', 'You may', [{ role: 'user', content: 'Hi' }]];
    const each = prompts.map((_, n) => ({ ...options, seed: n, stop: 'zz' }));
    const [there, here] = [await remote().write(prompts, each), await local.write(prompts, each)];
    const counts = (all: typeof here) => all.map(({ reason: _, ...rest }) => rest);
    expect(counts(there)).toEqual(counts(here));
    expect(there.map(({ reason }) => reason)).toEqual(['length', 'length', 'length']);
  });

  test('scores, those of lm-evaluation-harness', async () => {
    const { pairs } = golden.cases.find(({ model }) => model === 'llama')!;
    const requests = pairs.map(([prompt, text]) => ({ prompt, continuations: [text] }) as never);
    const scores = await remote().score(requests);
    for (const [n, [, , log, greedy]] of pairs.entries()) {
      expect(Math.abs(scores[n]![0]!.logProbability - (log as number))).toBeLessThan(1e-4);
      expect(scores[n]![0]!.isGreedy).toBe(greedy);
    }
    const question = { prompt: 'The Work is', options: ['a Work', 'a Derivative Work', 'license'] };
    const [there] = await chooseOptions(remote(), [question]);
    const [here] = await chooseOptions(local, [question]);
    expect(there!.probabilities).toEqual(here!.probabilities.map((p) => expect.closeTo(p, 4)));
    const [greedy] = await local.write(['The Work'], { temperature: 0, maxNewTokens: 2 });
    const [[score]] = (await remote().score([
      { prompt: 'The Work', continuations: [greedy!.text, ' zz'] },
    ])) as never as [[{ isGreedy: boolean }]];
    const [[own]] = (await local.score([
      { prompt: 'The Work', continuations: [greedy!.text, ' zz'] },
    ])) as never as [[{ isGreedy: boolean }]];
    expect(score.isGreedy).toBe(own.isGreedy);
  });

  test('a server that does not say what is likeliest says nothing of greedy decoding', async () => {
    const stripped: (typeof faults)[number] = async (request) => {
      const answer = (await (await server.fetch(request)).json()) as {
        choices: { logprobs: { top_logprobs?: unknown } }[];
      };
      for (const { logprobs } of answer.choices) delete logprobs.top_logprobs;
      return Response.json(answer);
    };
    faults.push(stripped);
    const [[score]] = (await remote().score([
      { prompt: 'The Work', continuations: [' is'] },
    ])) as never as [[{ isGreedy: undefined; logProbability: number }]];
    expect(score.isGreedy).toBeUndefined();
    expect(score.logProbability).toBeLessThan(0);
  });

  test('steps: without a limit of its context nothing is counted; with a tokenizer budgets are', async () => {
    const ask = definePrompt({
      name: 'ask',
      text: '{{context}}\nQ: {{q}}',
      slots: { q: { whole: true } },
    });
    const values = { context: 'The license applies. '.repeat(4), q: 'Which?' };
    const step = writeSlot(ask, 'answer', { maxNewTokens: 3 });
    const run = { seed: 1, temperature: 0.5 };
    const { values: made, records } = await runStep(step, values, remote(), run);
    expect(made).toEqual((await runStep(step, values, local, run)).values);
    expect(records[0]!.cuts).toEqual([]);
    const counted = remote({ contextLength: 24, tokenizer: loaded.tokenizer });
    const short = await runStep(step, values, counted, run);
    expect(short.records[0]).toMatchObject({ cuts: [{ slot: 'context' }] });
    expect(short.records[0]!.promptTokens).toBeLessThanOrEqual(21);
    await expect(runStep(step, values, remote({ contextLength: 24 }))).rejects.toThrow(
      `the tokens of 'tiny' at ${url} cannot be counted; expected its tokenizer`,
    );
  });
});

describe('what goes wrong', () => {
  test('is tried again: 429, 500, an answer that is cut, one that comes too late', async () => {
    const [expected] = await remote().write(['You may'], options);
    seen.length = 0;
    faults.push(
      status(429, { 'retry-after': '0' }),
      status(500),
      () => new Response('{"model": "ti', { headers: { 'content-type': 'application/json' } }),
      () => new Promise(() => {}),
    );
    const [text] = await remote({ timeout: 2000 }).write(['You may'], options);
    expect(text).toEqual(expected);
    expect(seen).toHaveLength(5);
  });

  test('often enough, and then is an error that names the address and what came', async () => {
    faults.push(...[503, 503, 503].map((code) => status(code)));
    await expect(remote({ retries: 2 }).write(['a'])).rejects.toThrow(
      new ServerModelError(`${url}/completions: status 503: fault 503, after 3 requests`),
    );
    expect(seen).toHaveLength(3);
    faults.push(() => new Promise(() => {}));
    await expect(remote({ retries: 0, timeout: 20 }).write(['a'])).rejects.toThrow(
      `${url}/completions: no answer within 20 ms`,
    );
    const closed = serverModel({ url: 'http://127.0.0.1:9/v1', model: 'x', retries: 1, wait: 1 });
    await expect(closed.write(['a'])).rejects.toThrow(
      'http://127.0.0.1:9/v1/completions: no whole answer',
    );
  });

  test('and cannot be helped, is an error at once', async () => {
    await expect(remote({ model: 'other', answersAs: 'tiny' }).write(['a'])).rejects.toThrow(
      `${url}/completions: status 404`,
    );
    expect(seen).toHaveLength(1);
    await expect(remote({ answersAs: 'large' }).write(['a'], options)).rejects.toThrow(
      `${url}/completions: the answer is of the model 'tiny'; expected 'large'`,
    );
    faults.push(() => Response.json({ model: 'tiny', choices: [] }));
    await expect(remote().write(['a'], options)).rejects.toThrow(
      `${url}/completions: the answer has no choices as expected`,
    );
    await expect(remote().write(['a'], { dolaLayers: 'low' })).rejects.toThrow(
      'dolaLayers is given for a model behind a server; expected one of maxNewTokens',
    );
    await expect(
      remote().score([
        { prompt: [{ role: 'user', content: 'a' }], continuations: ['b'], place: 'it' },
      ]),
    ).rejects.toThrow('it: is messages; expected a text');
  });

  test('a signal ends the wait between two requests', async () => {
    faults.push(status(429, { 'retry-after': '60' }));
    const stop = new AbortController();
    const written = remote({ longestWait: 60_000 }).write(['a'], { signal: stop.signal });
    await vi.waitFor(() => expect(faults).toHaveLength(0));
    stop.abort(new Error('enough'));
    await expect(written).rejects.toThrow('enough');
    expect(seen).toHaveLength(1);
  });
});

test('a key comes from an environment variable, and stands in no error', async () => {
  vi.stubEnv('TINY_KEY', 'secret');
  await remote({ keyVariable: 'TINY_KEY' }).write(['a'], options);
  expect(seen[0]!.headers.get('authorization')).toBe('Bearer secret');
  faults.push(status(401));
  const refused = remote({ keyVariable: 'TINY_KEY' }).write(['a']);
  await expect(refused).rejects.toThrow('status 401: fault 401');
  await expect(refused).rejects.not.toThrow('secret');
  vi.unstubAllEnvs();
  await expect(remote({ keyVariable: 'TINY_KEY' }).write(['a'])).rejects.toThrow(
    `the environment variable TINY_KEY is not set; expected the key of ${url}`,
  );
  await remote().write(['a'], options);
  expect(seen.at(-1)!.headers.has('authorization')).toBe(false);
});

test('a server lists its models, with the key; what lists none is an error', async () => {
  vi.stubEnv('TINY_KEY', 'secret');
  expect(await serverModels({ url, keyVariable: 'TINY_KEY' })).toEqual(['tiny']);
  vi.unstubAllEnvs();
  expect(seen.map(({ method }) => method)).toEqual(['GET']);
  expect(seen[0]!.headers.get('authorization')).toBe('Bearer secret');
  for (const strange of [Response.json({ models: [] }), new Response('<html>', { status: 404 })]) {
    faults.push(() => strange);
    await expect(serverModels({ url, retries: 0 })).rejects.toThrow(`${url}/models: `);
  }
  faults.push(() => new Response('<html>'));
  await expect(serverModels({ url, retries: 0 })).rejects.toThrow(
    `${url}/models: the answer is not JSON: <html>`,
  );
});

test('no more requests at a time than allowed', async () => {
  let [running, most] = [0, 0];
  const counted = async (request: Request) => {
    most = Math.max(most, ++running);
    const response = await server.fetch(request);
    running--;
    return response;
  };
  faults.push(...Array.from({ length: 6 }, () => counted));
  await remote({ concurrent: 2 }).write(
    Array.from({ length: 6 }, () => 'a'),
    options,
  );
  expect([most, faults.length]).toEqual([2, 0]);
});

test('options out of range are refused', () => {
  expect(() => remote({ url: 'localhost:8080' })).toThrow(
    "url is 'localhost:8080'; expected an address",
  );
  expect(() => remote({ retries: -1 })).toThrow(
    'retries is -1; expected a whole number of at least 0',
  );
  expect(() => remote({ concurrent: 0 })).toThrow('concurrent is 0');
  expect(() => remote({ requestsPerMinute: 0 })).toThrow(
    'requestsPerMinute is 0; expected a number above 0',
  );
});
