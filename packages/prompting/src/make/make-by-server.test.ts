import { afterAll, expect, test } from 'vitest';
import { localModel, responses, serverModel } from '../index.js';
import { tinyServer } from '../server/tiny-server.cases.js';
import { leftOf, made, rowsOf } from './by-rule.cases.js';

const { loaded, faults, url, close } = await tinyServer();
afterAll(close);

const queries = ['The license', 'You may'].map((instruction, n) => ({
  place: `q:${n + 1}`,
  instruction,
}));
const options = { seed: 2, maxNewTokens: 3, keepUnfinished: true };
const byServer = (more: object = {}) =>
  made(responses(queries, { answers: 2 }), {
    ...options,
    model: serverModel({ url, model: 'tiny', wait: 1, ...more }),
  });

test('a server makes the rows that the model makes in this process, also where requests fail at first', async () => {
  const here = await made(responses(queries, { answers: 2 }), {
    ...options,
    model: localModel(loaded, { name: 'tiny' }),
  });
  faults.push(
    () => Response.json({}, { status: 500 }),
    () => new Response('{"model": "ti', { headers: { 'content-type': 'application/json' } }),
  );
  const there = await byServer();
  expect(rowsOf(there)).toEqual(rowsOf(here));
  expect(leftOf(there)).toEqual(leftOf(here));
});

test('a server that lies about its model, and one whose answers are cut, end the run by prompt and example', async () => {
  await expect(byServer({ answersAs: 'large' })).rejects.toThrow(
    `prompt 'answer', example q:1: ${url}/chat/completions: the answer is of the model 'tiny'; expected 'large'`,
  );
  const cut = () =>
    new Response('{"model": "ti', { headers: { 'content-type': 'application/json' } });
  faults.push(cut, cut, cut, cut);
  await expect(byServer({ retries: 0 })).rejects.toThrow(
    `prompt 'answer', example q:1: ${url}/chat/completions: the answer is not JSON: {"model": "ti`,
  );
});
