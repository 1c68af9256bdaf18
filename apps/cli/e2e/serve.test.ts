import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { headwise, headwiseHere, temporaryFolder, writeConfig } from './headwise.js';
import { serve } from './served.js';

const work = temporaryFolder();
const model = join(work, 'run');

beforeAll(async () => {
  const train = ['train', '--config', writeConfig(work), '--out', model];
  expect((await headwiseHere(train)).code).toBe(0);
});

test('a model folder is served, to this machine alone, and SIGTERM lets the running answer end', async () => {
  const { child, url } = await serve(model);
  const complete = (tokens: number) =>
    fetch(new URL('v1/completions', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'run', prompt: 'the', max_tokens: tokens, temperature: 0 }),
    });
  const { choices } = (await (await complete(8)).json()) as { choices: { text: string }[] };
  const generated = await headwiseHere([
    ...['generate', '--model', model, '--prompt', 'the', '--temperature', '0'],
    ...['--max-new-tokens', '8'],
  ]);
  expect(`the${choices[0]!.text}\n`).toBe(generated.stdout);
  const { hostname, port } = new URL(url);
  const [response] = await once(
    request({ hostname, port, path: '/health', headers: { host: 'evil.example' } }).end(),
    'response',
  );
  expect(response.statusCode).toBe(421);
  response.resume();
  const last = complete(14);
  while (!(await (await fetch(new URL('metrics', url))).text()).includes('running 1')) {
    // Until it runs.
  }
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect((await last).status).toBe(200);
  expect(await ended).toEqual([0, null]);
});

test('an address that other machines reach needs a key', async () => {
  const refused = headwise(['serve', '--model', model, '--port', '0', '--host', '0.0.0.0']);
  expect(refused.stderr).toContain('expected a key in HEADWISE_API_KEY or --api-key');
  expect(refused.code).toBe(2);
  const { url } = await serve(model, '--host', '0.0.0.0', '--api-key', 'secret');
  const statusOf = async (path: string, key?: string) =>
    (await fetch(new URL(path, url), key ? { headers: { authorization: `Bearer ${key}` } } : {}))
      .status;
  expect(await statusOf('v1/models')).toBe(401);
  expect(await statusOf('v1/models', 'secret2')).toBe(401);
  expect(await statusOf('v1/models', 'secret')).toBe(200);
  expect(await statusOf('health')).toBe(200);
});
