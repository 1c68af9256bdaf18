import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initializers, ParamStore } from '@headwise/core';
import { readSafetensors, writeSafetensors } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import { AdamW } from './adamw.js';
import { causalLanguageModel } from './causal-language-model.js';
import { DivergedError } from './diverged.js';
import { evaluate } from './evaluate.js';
import { loadTrainer, saveTrainer } from './node.js';
import { restoreTrainer } from './state.js';

const folder = mkdtempSync(join(tmpdir(), 'headwise-training-'));
const path = join(folder, 'state.safetensors');
const store = new ParamStore({ seed: 1 });
const table = store.get('table', [3, 5], initializers.normal(1));
const trained = { params: store.named(), optimizer: new AdamW(store.named()) };
const progress = { step: 7, random: [1, 2, 3, 4] as const };
afterAll(() => {
  trained.optimizer.dispose();
  store.dispose();
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])(
  'a state with %d is not saved, and the last one stays',
  async (value) => {
    await saveTrainer(path, trained, progress);
    const before = readFileSync(path);
    const good = await table.data();
    table.assign(tf.tensor([...good.slice(1), value], [3, 5]));
    await expect(saveTrainer(path, trained, { ...progress, step: 8 })).rejects.toThrow(
      new DivergedError(
        "training diverged in step 7: tensor 'params.table' holds NaN or infinite values after its update; lower the learning rate",
      ),
    );
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual(['headwise-manifest.json', 'state.safetensors']);
    expect(await loadTrainer(path, trained)).toEqual(progress);
    expect(await table.data()).toEqual(good);
  },
);

test('a state with NaN, or with a flipped bit, is refused and changes nothing', async () => {
  await saveTrainer(path, trained, progress);
  const bytes = readFileSync(path);
  const before = await table.data();
  const file = readSafetensors(bytes);
  const tensors = Object.fromEntries(
    [...file.tensors.keys()].map((key) => {
      const { shape, data } = file.get(key);
      const values = Float32Array.from(data as Float32Array);
      if (key === 'adamw.v.table') values[4] = Number.NaN;
      return [key, { shape: [...shape], data: values }];
    }),
  );
  const broken = readSafetensors(writeSafetensors(tensors, { ...file.metadata }));
  expect(() => restoreTrainer(trained, broken, 'state')).toThrow(
    "state: tensor 'adamw.v.table': 1 of 15 values are NaN or infinite; expected finite ones",
  );
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
  await expect(loadTrainer(path, trained)).rejects.toThrow(`${path}: has the SHA-256 `);
  expect(await table.data()).toEqual(before);
});

test('evaluate refuses a loss that is not finite, and a signal ends it', async () => {
  const network = {
    vocabSize: 5,
    maxLength: 4,
    forward: (ids: tf.Tensor) => tf.fill([...ids.shape, 5], 3e38).mul(ids.expandDims(-1).mul(9)),
  };
  const batch = { inputs: Int32Array.of(1), targets: Int32Array.of(2), shape: [1, 1] as const };
  await expect(evaluate(causalLanguageModel(network), [batch])).rejects.toThrow(
    /^the loss of batch 0 is NaN: the scores/,
  );
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(evaluate(causalLanguageModel(network), [batch], { signal })).rejects.toThrow(
    'stopped',
  );
});
