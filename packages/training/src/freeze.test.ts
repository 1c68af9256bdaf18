import { createModel } from '@headwise/models';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW, causalLanguageModel, constantRate, freeze, train } from './index.js';

const sizes = { vocab_size: 11, n_positions: 8, n_embd: 6, n_layer: 2, n_head: 3 };
const dropout = { embd_pdrop: 0, resid_pdrop: 0, attn_pdrop: 0 };
const model = () => createModel({ model_type: 'gpt2', ...sizes, ...dropout }, { seed: 1 });

test('chooses by a list of paths, a regular expression, or a function', () => {
  const { params } = model();
  const all = params.named();
  const blocks = Object.keys(all).filter((path) => path.startsWith('blocks.'));
  expect(Object.keys(freeze(all, ['tokens', 'positions.weight', 'norm', 'blocks.1']))).toEqual(
    blocks.filter((path) => path.startsWith('blocks.0.')),
  );
  const norms = blocks.filter((path) => /norm1/.test(path));
  expect(Object.keys(freeze(all, ['blocks.*.norm1'])).sort()).toEqual(
    Object.keys(all)
      .filter((path) => !norms.includes(path))
      .sort(),
  );
  const rest = Object.keys(all).filter((path) => !blocks.includes(path));
  expect(Object.keys(freeze(all, /^blocks\./g))).toEqual(rest);
  expect(Object.keys(freeze(all, (path) => blocks.includes(path)))).toEqual(rest);
  expect(() => freeze(all, ['tokens', 'block.0'])).toThrow(
    "freeze: 'block.0' matches none of 28 parameters, such as 'tokens.weight'",
  );
  expect(() => freeze(all, ['blocks.1.norm'])).toThrow("'blocks.1.norm' matches none");
  expect(() => freeze(all, /^head/)).toThrow('freeze: /^head/ matches none of 28 parameters');
  expect(() => freeze(all, () => true)).toThrow('freeze: all 28 parameters are frozen');
  params.dispose();
});

test('trains the rest as if all were trained, and leaves what is frozen as it is', async () => {
  const batch = {
    inputs: Int32Array.of(1, 2, 3, 4),
    targets: Int32Array.of(2, 3, 4, 5),
    shape: [1, 4] as const,
  };
  const { numTensors } = tf.memory();
  const [whole, part] = [model(), model()];
  const frozen = ['tokens', 'blocks.0'];
  const run = async ({ network, params }: typeof whole, named = params.named()) => {
    const optimizer = new AdamW(named);
    const steps = train({
      objective: causalLanguageModel(network),
      params: named,
      optimizer,
      schedule: constantRate(0.1),
      batches: { at: () => batch },
      // Without clipping, whose norm is that of all gradients.
      maxNorm: 1e9,
      steps: 1,
    });
    for await (const { loss } of steps) expect(loss).toBeGreaterThan(0);
    const moments = Object.keys(optimizer.state);
    optimizer.dispose();
    return moments;
  };
  const before = model();
  await run(whole);
  const trained = freeze(part.params.named(), frozen);
  expect(await run(part, trained)).toHaveLength(2 * Object.keys(trained).length);
  for (const [path, variable] of Object.entries(part.params.named())) {
    const expected = (trained[path] ? whole : before).params.named()[path]!;
    await expectClose(variable, expected, { ratio: 1e-6 });
  }
  for (const { params } of [whole, part, before]) params.dispose();
  expect(tf.memory().numTensors).toBe(numTensors);
});
