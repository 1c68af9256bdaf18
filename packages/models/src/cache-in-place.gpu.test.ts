import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ForwardContext } from '@headwise/core';
import { KeyValueCache, StepLoop, stepPlanOf } from '@headwise/decoding';
import { checkedSampling } from '@headwise/kernels/internal';
import { cases, readsOf } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test, vi } from 'vitest';
import { encoderDecoderModel, languageModel } from './model.js';
import { loadModel } from './node.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));
const architecture = (name: string): string =>
  JSON.parse(readFileSync(`${goldens}/${name}/config.json`, 'utf8')).architectures[0];
const names = readdirSync(goldens, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const decoders = names.filter((name) => /ForCausalLM$|LMHeadModel$/.test(architecture(name)));
const encoderDecoders = ['bart', 'marian', 't5', 'transformer-2017'];

/** One of each kind of position. */
const families = ['bloom', 'gpt2', 'llama-gqa-llama3', 'mistral', 'transformer-xl-plain'];

/** The kernels that append to a cache and attend over it where it lies. */
const inPlace = [
  'headwise/AppendKeysValues',
  'headwise/AttendStep',
  'headwise/Attention',
  'headwise/DecodeAttention',
];

const int = (ids: number[]) => tf.tensor2d(ids, [1, ids.length], 'int32');

/** A cache, and all tensors that lie in it. */
function watchedCache(capacity: number) {
  const cache = new KeyValueCache({ capacity });
  const attend = vi.spyOn(cache, 'attendHeads');
  const once = vi.spyOn(cache, 'once');
  const tensors = () =>
    [...new Set(attend.mock.calls.map(([path]) => path))].flatMap((path) =>
      Object.values(cache.rowsOf(path)),
    );
  const fixed = () =>
    once.mock.results.flatMap(({ value }) => Object.values(value as { k: tf.Tensor }));
  return { cache, all: () => [...tensors(), ...fixed()] };
}

/** Runs steps over a cache, and throws where anything but attention reads it. */
async function expectInPlace(all: () => tf.Tensor[], run: () => unknown): Promise<string[]> {
  const { kernels, copied } = await readsOf(all, run);
  expect(copied).toBe(0);
  expect(kernels.filter((kernel) => !inPlace.includes(kernel))).toEqual([]);
  return kernels;
}

for (const name of cases(decoders, (name) => families.includes(name))) {
  test(`${name} copies no byte of its cache`, async () => {
    const { network, params } = languageModel(await loadModel(`${goldens}/${name}`));
    const maxLength = Math.min(network.maxLength, 12);
    const { cache, all } = watchedCache(maxLength);
    const forward = (...ids: number[]) =>
      tf.tidy(() => void network.forward(int(ids.map((id) => id % network.vocabSize)), { cache }));
    forward(11, 48, 85);
    const kernels = await expectInPlace(all, () => {
      forward(3);
      forward(4);
      forward(5, 6);
    });
    expect(kernels.length).toBeGreaterThanOrEqual(6);
    const plan = stepPlanOf(network);
    if (plan) {
      const loop = new StepLoop(plan, cache, {
        sampling: checkedSampling({ temperature: 0 }),
        maxLength,
      });
      const none = { history: [], banned: new Set<number>() };
      const stepped = await expectInPlace(all, () =>
        loop.draw({ id: 7, position: cache.length }, [1, 2], none),
      );
      expect(new Set(stepped)).toEqual(new Set(['headwise/AttendStep']));
      loop.dispose();
      plan.dispose();
    }
    cache.dispose();
    params.dispose();
  });
}

for (const name of cases(encoderDecoders, (name) => name === 'bart' || name === 't5')) {
  test(`${name} copies no byte of its caches`, async () => {
    const { network, params } = encoderDecoderModel(await loadModel(`${goldens}/${name}`));
    const encoded = network.encode(int([9, 8, 7, 6, 5]));
    const { cache, all } = watchedCache(8);
    const decode = (ids: number[], ctx: ForwardContext = { cache }) =>
      tf.tidy(() => void network.decode(int(ids), encoded, ctx));
    decode([2, 11, 12]);
    const kernels = await expectInPlace(all, () => {
      decode([13]);
      decode([14, 15]);
    });
    expect(kernels).toContain('headwise/DecodeAttention');
    expect(kernels).toContain('headwise/Attention');
    cache.dispose();
    params.dispose();
  });
}
