import { generate } from '@headwise/generation';
import { createModel } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';
import { expect, onTestFinished, test } from 'vitest';
import { Engine } from './engine.js';
import type { Sequence } from './sequence.js';

const options = { temperature: 0, maxNewTokens: 6 };

async function idsOf(sequence: Sequence, most = Number.POSITIVE_INFINITY): Promise<number[]> {
  const ids: number[] = [];
  while (ids.length < most) {
    const token = await sequence.next();
    if (!token) return ids;
    ids.push(token.id);
  }
  sequence.cancel();
  return ids;
}

test('sequences that share beginnings, some of them forgotten or cancelled, get what each gets alone', async () => {
  const sizes = { vocab_size: 61, n_positions: 64, n_embd: 16, n_layer: 2, n_head: 2 };
  const config = { model_type: 'gpt2', ...sizes, initializer_range: 0.5 } as const;
  const { network, params } = createModel(config, { seed: 4 });
  onTestFinished(() => params.dispose());
  const system = Array.from({ length: 20 }, (_, i) => (i * 17 + 5) % 61);
  const prompts = [
    [...system, 3],
    [9],
    [...system, 3, 1],
    [...system, 8],
    [7, 2],
    [...system, 8, 6],
  ];
  const expected: number[][] = [];
  for (const prompt of prompts) {
    const ids: number[] = [];
    for await (const id of generate(network, prompt, options)) ids.push(id);
    expected.push(ids);
  }
  const before = tf.memory().numTensors;
  const tokenBytes = 2 * 2 * 16 * 4;
  const engine = new Engine({ running: 4, prefixes: 22 * tokenBytes });
  for (let round = 0; round < 3; round++) {
    const found = await Promise.all(
      prompts.map((prompt, n) => {
        const [sequence] = engine.submit([{ network, prompt, options }]);
        return idsOf(sequence!, n === round ? 2 : undefined);
      }),
    );
    const due = expected.map((ids, n) => (n === round ? ids.slice(0, 2) : ids));
    expect(found).toEqual(due);
    expect(engine.prefixes.bytes).toBeLessThanOrEqual(22 * tokenBytes);
  }
  expect(engine.prefixes.reusedTokens).toBeGreaterThan(100);
  await engine.close();
  expect(tf.memory().numTensors).toBe(before);
});
