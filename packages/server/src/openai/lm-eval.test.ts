import { score } from '@headwise/generation';
import type { TextSettings } from '@headwise/text';
import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { serveFixture } from '../../fixture/serve-fixture.js';

interface Choice {
  index: number;
  logprobs: { token_logprobs: (number | null)[]; top_logprobs: (Record<string, number> | null)[] };
}

async function open(generation?: TextSettings) {
  const fixture = await serveFixture({ generation });
  onTestFinished(() => fixture.close());
  /** The request for log-likelihoods of `local-completions` of lm-evaluation-harness 0.4.13, field by field. */
  const ask = async (prompts: readonly (readonly number[])[]): Promise<Choice[]> => {
    const response = await fetch(`${fixture.url}/v1/completions`, {
      method: 'POST',
      // Its key is empty unless OPENAI_API_KEY is set.
      headers: { authorization: 'Bearer ', 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'tiny',
        prompt: prompts,
        temperature: 0,
        max_tokens: 1,
        logprobs: 1,
        seed: 1234,
        echo: true,
      }),
    });
    expect(response.status).toBe(200);
    return ((await response.json()) as { choices: Choice[] }).choices;
  };
  return { ...fixture, ask };
}

/** What the harness reads of a choice: it leaves out the context, and the last entry as the generated token. */
function parsed({ logprobs }: Choice, context: number) {
  const logs = logprobs.token_logprobs.slice(context, -1) as number[];
  const best = logprobs.top_logprobs
    .slice(context, -1)
    .map((top) => Math.max(...Object.values(top!)));
  return {
    logProbability: logs.reduce((sum, log) => sum + log, 0),
    isGreedy: logs.every((log, i) => log === best[i]),
  };
}

const pairs = [
  ['call me', ' ishmael'],
  ['a', 'b'],
  ['some years ago', ', never mind how long'],
] as const;

test('the log-likelihoods that lm-evaluation-harness reads are those of the model', async () => {
  const { ask, tokenizer, model, alone } = await open();
  const greedy = await alone('call me', 4);
  const asked = [...pairs, ['call me', greedy] as const].map((pair) =>
    pair.map((text) => tokenizer.encode(text).ids),
  );
  const choices = await ask(asked.map((pair) => pair.flat()));
  expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  for (const [n, [context, continuation]] of asked.entries()) {
    const expected = await score(model.network, context!, continuation!);
    const { logProbability, isGreedy } = parsed(choices[n]!, context!.length);
    expect(logProbability).toBeCloseTo(expected.logProbability, 4);
    expect(isGreedy).toBe(n === 3);
  }
});

test('the generated token has its entry where it ends the answer, and where it fills the context', async () => {
  const { ask, tokenizer, alone } = await open();
  const { ids } = tokenizer.encode('call me');
  const next = await alone('call me', 1);
  const [plain] = await ask([ids]);
  const end = tokenizer.encode(next).ids;
  for (const generation of [{ stopIds: end }, { stop: [next] }]) {
    const [choice] = await (await open(generation)).ask([ids]);
    expect(choice!.logprobs).toEqual(plain!.logprobs);
  }
  const ending = await open({ stopIds: end });
  const client = new OpenAI({ baseURL: `${ending.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const asked = { model: 'tiny', prompt: ids, temperature: 0, logprobs: 1, echo: true };
  const logs: (number | null)[] = [];
  for await (const { choices } of await client.completions.create({ ...asked, stream: true })) {
    logs.push(...(choices[0]!.logprobs?.token_logprobs ?? []));
  }
  expect(logs).toEqual(plain!.logprobs.token_logprobs);
  const full = Array.from({ length: 128 }, (_, i) => i % 20);
  const [whole] = await ask([full]);
  expect(whole!.logprobs.token_logprobs).toHaveLength(129);
});
