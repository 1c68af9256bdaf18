import { createModel } from '@headwise/models';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { Engine } from './engine.js';
import { EngineBusyError } from './errors.js';

afterEach(() => void vi.restoreAllMocks());

test('beyond the limit of time a running sequence ends where it is, and one that waits is refused', async () => {
  let now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const sizes = { vocab_size: 29, n_positions: 64, n_embd: 12, n_layer: 1, n_head: 3 };
  const { network, params } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });
  const engine = new Engine({ running: 1, time: 500 });
  onTestFinished(async () => {
    await engine.close();
    params.dispose();
  });
  const options = { temperature: 0, maxNewTokens: 60 };
  const [running, waits] = engine.submit([
    { network, prompt: [3, 1, 4], options },
    { network, prompt: [1, 5], options },
  ]);
  await running!.next();
  expect([engine.running, engine.waiting]).toEqual([1, 1]);
  now = 1499;
  await running!.next();
  expect(running!.ended).toBe(false);
  now = 1500;
  const refused = await waits!.next().catch((error) => error);
  expect(refused).toBeInstanceOf(EngineBusyError);
  expect(refused.message).toBe('no place was free within 0.5 s');
  while (await running!.next()) {
    // What it had before.
  }
  expect(running!.reason).toBe('time');
  expect(running!.made).toBeLessThan(60);
  // There is room again.
  const [next] = engine.submit([{ network, prompt: [1, 5], options: { maxNewTokens: 1 } }]);
  expect(await next!.next()).toBeDefined();
});
