import { isLanguageModel } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { loadModel } from '../node.js';

const goldens = new URL('../../../parity/goldens/', import.meta.url).pathname;

test('a part that is changed takes its parameters along, and both sides are told', async () => {
  const model = await loadModel(`${goldens}gpt2`, { change: { position: { kind: 'alibi' } } });
  expect(model.newPaths).toEqual([]);
  expect(model.unusedKeys).toEqual(['transformer.wpe.weight']);
  const learned = await loadModel(`${goldens}bloom`, { change: { position: { kind: 'learned' } } });
  expect(learned.newPaths).toEqual(['positions.weight']);
  expect(learned.unusedKeys).toEqual([]);
  for (const { network, params } of [model, learned]) {
    if (!isLanguageModel(network)) throw new Error('no language model');
    const logits = network.forward(tf.tensor2d([[1, 2, 3]], [1, 3], 'int32'));
    expect((await logits.data()).every(Number.isFinite)).toBe(true);
    params.dispose();
  }
});

test('trained heads are not cut into another number of them', async () => {
  const change = { position: { kind: 'alibi' }, heads: { count: 4 } } as const;
  await expect(loadModel(`${goldens}llama`, { change })).rejects.toThrow(
    "'heads.count' is 4; the checkpoint of",
  );
});

test.each([
  ['dim', { dim: 24 }, "change: 'dim' is 24; the checkpoint of"],
  ['topology', { topology: 'encoder' }, 'change: \'topology\' is "encoder"; it is "decoder"'],
  ['model_type', { model_type: 'gpt2' }, 'change: \'model_type\' is "gpt2"; it is "headwise"'],
  ['an array', [{ kind: 'alibi' }], 'change is an array; expected an object of parts'],
])('what is not a part to exchange is refused: %s', async (_, change, message) => {
  await expect(loadModel(`${goldens}llama`, { change: change as never })).rejects.toThrow(message);
});
