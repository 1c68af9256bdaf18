import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { LocalHub } from '../../../packages/models/src/hub/local-hub.cases.js';
import { headwiseHere, temporaryFolder } from './headwise.js';

const golden = fileURLToPath(new URL('../../../packages/parity/goldens/gpt2', import.meta.url));
const names = ['config.json', 'model.safetensors'];
const hub = new LocalHub(
  Object.fromEntries(names.map((name) => [name, new Uint8Array(readFileSync(join(golden, name)))])),
);
const work = temporaryFolder();

beforeAll(async () => {
  await hub.listen();
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  vi.stubEnv('HF_TOKEN', hub.token);
  vi.stubEnv('HEADWISE_CONTENT_HOSTS', 'localhost');
  vi.stubEnv('XDG_CACHE_HOME', work);
  vi.stubEnv('HF_HOME', join(work, 'none'));
});
afterAll(() => {
  hub.close();
  vi.unstubAllEnvs();
});

const logits = (model: string, ...more: string[]) =>
  headwiseHere(['logits', '--model', model, '--ids', '1,2,3', '--json', ...more]);

test('commands take a repository of a hub where they take a folder, and its copy while offline', async () => {
  const expected = await logits(golden);
  const missing = await logits('owner/closed', '--offline');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toMatch("owner/closed: is not in the cache at revision 'main'");
  expect(await logits('owner/closed', '--revision', 'main')).toEqual(expected);
  hub.asked.length = 0;
  expect(await logits('owner/closed', '--offline')).toEqual(expected);
  const { code, stdout } = await headwiseHere(['params', '--model', 'owner/closed', '--offline']);
  expect({ code, stdout }).toMatchObject({ code: 0 });
  expect(stdout).toContain('parameters of the family gpt2');
  expect(hub.asked).toEqual([]);
});

test('a repository that cannot be had ends with 2 and says why', async () => {
  for (const [args, message] of [
    [['owner/missing'], /the hub refuses the token.*; and there is no folder 'owner\/missing'/],
    [['owner/closed', '--revision', 'v9'], /owner\/closed: has no revision 'v9'/],
    [[golden, '--revision', 'main'], /--revision is given, and --model '.*' is on the disk/],
    [[golden, '--offline'], /--offline is given, and --model '.*' is on the disk/],
  ] as const) {
    const [model, ...more] = args;
    const { code, stderr } = await logits(model, ...more);
    expect(code, model).toBe(2);
    expect(stderr).toMatch(message);
  }
});
