import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LanguageModel } from '@headwise/core';
import { KeyValueCache, StepLoop, stepPlanOf } from '@headwise/decoding';
import { checkedSampling } from '@headwise/kernels/internal';
import { cases, withPoisonedBuffers } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { languageModel } from './model.js';
import { loadModel } from './node.js';
import type { WeightDtype } from './weight-options.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));
const isDecoder = (name: string) => {
  const config = JSON.parse(readFileSync(`${goldens}/${name}/config.json`, 'utf8'));
  const [kind] = config.architectures;
  // A decoder that reads an encoder's output takes no prompt alone.
  return !config.add_cross_attention && /ForCausalLM$|LMHeadModel$/.test(kind);
};
const names = readdirSync(goldens, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && isDecoder(entry.name))
  .map(({ name }) => name);
const forms: (readonly [string, WeightDtype])[] = [
  ...names.map((name) => [name, 'f32'] as const),
  ...(['int8', 'int4', 'f16'] as const).map((dtype) => ['llama', dtype] as const),
];

const representatives = ['bloom', 'gpt2', 'llama-gqa-llama3'];

/** What the layers and the step of a model give, from a prompt on. */
async function logitsOf(network: LanguageModel): Promise<number[][]> {
  const maxLength = Math.min(network.maxLength, 12);
  const cache = new KeyValueCache();
  const results: tf.Tensor[] = [];
  const forward = (...ids: number[]) => {
    const given = ids.map((id) => id % network.vocabSize);
    const scores = tf.tidy(() =>
      network.forward(tf.tensor2d(given, [1, ids.length], 'int32'), { cache }),
    );
    results.push(scores);
  };
  forward(11, 48, 85);
  forward(3);
  forward(4, 5);
  const values = [];
  for (const scores of results) values.push([...(await scores.data())]);
  tf.dispose(results);
  const plan = stepPlanOf(network);
  if (plan) {
    const sampling = checkedSampling({ temperature: 0 });
    const loop = new StepLoop(plan, cache, { sampling, maxLength });
    values.push([...(await loop.logits([{ id: 1, position: 6 }]).data())]);
    const none = { history: [], banned: new Set<number>() };
    values.push(await loop.draw({ id: 2, position: 7 }, [1, 2, 3], none));
    loop.dispose();
    plan.dispose();
  }
  cache.dispose();
  return values;
}

for (const [name, dtype] of cases(forms, ([name]) => representatives.includes(name))) {
  test(`${name} in ${dtype}: nothing is read before it is written`, async () => {
    const { network, params } = languageModel(await loadModel(`${goldens}/${name}`, { dtype }));
    const expected = await logitsOf(network);
    expect(await withPoisonedBuffers(() => logitsOf(network))).toEqual(expected);
    params.dispose();
  });
}

test('what is not written is NaN', async () => {
  const values = await withPoisonedBuffers(async () => {
    const { dataId } = tf.tensor1d([1, 2, 3]).square();
    const backend = tf.backend() as unknown as {
      makeTensorInfo(shape: number[], dtype: string): tf.TensorInfo;
      uploadToGPU(dataId: object): void;
      disposeData(dataId: object): void;
      read(dataId: object): Promise<Float32Array>;
    };
    const unwritten = backend.makeTensorInfo([3], 'float32');
    backend.uploadToGPU(unwritten.dataId);
    const values = [...(await backend.read(dataId)), ...(await backend.read(unwritten.dataId))];
    backend.disposeData(unwritten.dataId);
    return values;
  });
  expect(values).toEqual([1, 4, 9, Number.NaN, Number.NaN, Number.NaN]);
});
