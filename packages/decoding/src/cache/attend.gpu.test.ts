import { currentDevice } from '@headwise/core';
import { KeyValueCache } from '@headwise/decoding';
import { masks, scoreTable } from '@headwise/kernels';
import { gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { attendCached, type CachedOptions } from './cached.js';
import { scoreMod } from './index.js';

const heads = 4;
const width = 64;

/** What a run makes the GPU copy, and the sizes of the buffers that it writes into. */
function watch(run: () => void): { copied: number[]; written: number[] } {
  const device = currentDevice()!.gpu!;
  const { bufferManager } = tf.backend() as unknown as {
    bufferManager: { acquireBuffer(size: number, ...rest: unknown[]): GPUBuffer };
  };
  const seen = { copied: [] as number[], written: [] as number[] };
  const createCommandEncoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    const encoder = createCommandEncoder(descriptor);
    const copy = encoder.copyBufferToBuffer.bind(encoder) as (...args: unknown[]) => undefined;
    encoder.copyBufferToBuffer = (...args: unknown[]) => {
      seen.copied.push(args[4] as number);
      return copy(...args);
    };
    return encoder;
  };
  const acquireBuffer = bufferManager.acquireBuffer.bind(bufferManager);
  bufferManager.acquireBuffer = (size, ...rest) => {
    seen.written.push(size);
    return acquireBuffer(size, ...rest);
  };
  try {
    run();
  } finally {
    Reflect.deleteProperty(device, 'createCommandEncoder');
    Reflect.deleteProperty(bufferManager, 'acquireBuffer');
  }
  return seen;
}

const sum = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0);

/** Whether an upload copies depends on the time since the one before; what is given lies on the GPU before anything is counted. */
function onGpu<T extends tf.Tensor>(tensor: T): T {
  (tf.backend() as unknown as { uploadToGPU(dataId: object): void }).uploadToGPU(tensor.dataId);
  return tensor;
}

type Scoring = Pick<CachedOptions, 'mask' | 'mods' | 'sinks'>;
/** What models add to scores while decoding, given the tokens so far. */
const scorings: Record<string, (tokens: number) => Scoring> = {
  'causal attention': () => ({ mask: masks.causal }),
  'ALiBi, as in BLOOM': () => ({
    mask: masks.causal,
    mods: [scoreMod((score, _b, h, q, k) => score.sub(q.sub(k).mul(h).toFloat().mul(0.1)))],
  }),
  'biases by distance, as in T5': () => {
    const biases = scoreTable(onGpu(gaussian([heads, 128], 4)));
    const mod = scoreMod((score, _b, h, q, k) => score.add(biases.at(h, q.sub(k))));
    return { mask: masks.causal, mods: [mod] };
  },
  'a sliding window, as in Mistral': () => ({
    mask: masks.and(masks.causal, masks.slidingWindow(100)),
  }),
  'padding on the left': (tokens) => ({
    mask: masks.and(masks.causal, masks.padding(onGpu(tf.ones([1, tokens], 'int32')))),
  }),
};

const room = ['a cache of 2,048', { capacity: 2048 }, 2000] as const;
const full = ['a window of 2,048 that is full', { window: 2044, sinks: 4 }, 2040] as const;
const runs = [
  ...Object.keys(scorings).map((scoring) => [...room, scoring] as const),
  [...full, 'causal attention'] as const,
];

for (const [name, options, tokens, scoring] of runs) {
  test(`${scoring} over ${name} moves no keys or values but the new row`, async () => {
    let length = 0;
    const rows = (count: number, seed: number) => gaussian([1, heads, count, width], seed);
    const cache = new KeyValueCache(options);
    const attend = (count: number) => {
      const [q, k, v] = [1, 2, 3].map((seed) => onGpu(rows(count, seed))) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      length += count;
      const scored = scorings[scoring]!(length);
      const before = tf.engine().state.numBytes;
      const seen = watch(() =>
        tf.tidy(() => void attendCached(q, k, v, { cache, path: 'a', ...scored })),
      );
      expect(tf.engine().state.numBytes - before).toBe(count === 1 ? 0 : cacheBytes);
      tf.dispose([q, k, v]);
      return seen;
    };
    const cacheBytes = 2 * 2048 * heads * width * 4;
    attend(tokens);
    for (let t = 0; t < 12; t++) {
      const { copied, written } = attend(1);
      expect(sum(copied)).toBe(0);
      // The output, its 32 parts of the keys and the numbers of the dispatches: a hundredth of the cache.
      expect(sum(written)).toBeGreaterThan(4 * heads * width);
      expect(sum(written)).toBeLessThan(cacheBytes / 50);
    }
    cache.dispose();
  });
}
