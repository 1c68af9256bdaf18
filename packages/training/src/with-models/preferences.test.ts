import type { LanguageModel } from '@headwise/core';
import { loadModel } from '@headwise/models/node';
import { expectClose } from '@headwise/testing';
import { expect, test } from 'vitest';
import {
  directPreference,
  groupAdvantages,
  groupRelativePolicy,
  identityPreference,
  kahnemanTversky,
} from '../index.js';

const gpt2 = new URL('../../../parity/goldens/gpt2', import.meta.url).pathname;

test('advantages compare a completion with the others of its prompt', async () => {
  await expectClose(
    groupAdvantages([1, 3, 5, 5], 2),
    [-2, 2, 0, 0].map((x) => x / (Math.SQRT2 * 2 + 2e-4)),
  );
  expect(() => groupAdvantages([1, 2, 3], 2)).toThrow('3 rewards in groups of 2');
  expect(() => groupAdvantages([1, Number.NaN], 2)).toThrow('reward 1 is NaN');
});

test('batches and settings of preferences that cannot be are refused', async () => {
  const { network, params } = await loadModel(gpt2);
  const model = network as LanguageModel;
  const batch = {
    inputs: Int32Array.of(5, 6, 5, 6),
    targets: Int32Array.of(-100, 7, -100, 8),
    shape: [2, 2] as const,
    reference: Float32Array.of(-1, -2),
  };
  const dpo = directPreference(model);
  expect(() => dpo.loss({ ...batch, reference: Float32Array.of(-1) })).toThrow(
    'direct preference optimization: reference',
  );
  expect(() => dpo.loss({ ...batch, reference: Float32Array.of(-1, Number.NaN) })).toThrow(
    'the reference log-probability of row 1 is NaN',
  );
  expect(() => dpo.loss({ ...batch, targets: Int32Array.of(-100, 7, -100, 800) })).toThrow(
    'target 800 at position [1, 1] is outside the vocabulary',
  );
  expect(() => directPreference(model, { beta: 0 })).toThrow(
    'beta is 0; expected a positive number',
  );
  expect(() => identityPreference(model).loss({ ...batch, shape: [1, 4] as const })).toThrow(
    'the batch has 1 rows; expected two for each pair',
  );
  expect(() => kahnemanTversky(model).loss({ ...batch, desirable: Int32Array.of(2) })).toThrow(
    'judgement 2 at position 0 is outside the two judgements',
  );
  const grpo = groupRelativePolicy(model, { beta: 0.1 });
  expect(() =>
    grpo.loss({ ...batch, reference: undefined, advantages: Float32Array.of(1, -1) }),
  ).toThrow('the batch has no reference');
  expect(() => groupRelativePolicy(model, { epsilon: 2 })).toThrow('epsilon is 2');
  params.dispose();
});
