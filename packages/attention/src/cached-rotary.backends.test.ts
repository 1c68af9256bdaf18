import { ParamStore } from '@headwise/core';
import { KeyValueCache, type KeyValueCacheOptions } from '@headwise/decoding';
import { type Mask, masks, type RotaryLayout } from '@headwise/kernels';
import { RotaryPosition } from '@headwise/positions';
import { describeBackends, expectClose, expectNoLeak, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test, vi } from 'vitest';
import { MultiHeadAttention } from './multi-head.js';

interface Setting {
  layout: RotaryLayout;
  kvHeads?: number;
  rotaryDim?: number;
  mask?: Mask;
}

const [dim, heads, headDim] = [24, 4, 6];

function layerOf(params: ParamStore, { layout, kvHeads = heads, rotaryDim, mask }: Setting) {
  const position = new RotaryPosition({ headDim, layout, rotaryDim, base: 100 });
  return new MultiHeadAttention(params.at('attn'), {
    dim,
    heads,
    kvHeads,
    position,
    mask: mask ?? masks.causal,
  });
}

const tokensOf = (x: tf.Tensor, start: number, count: number) =>
  x.slice([0, start, 0], [x.shape[0]!, count, dim]);

/** Tokens so large that their scores are far apart: weights start small. */
const tokens = (shape: number[], seed: number) => tf.tidy(() => gaussian(shape, seed).mul(20));

/** The names of the kernels that a step runs. */
function kernelsOf(step: () => void): string[] {
  const run = vi.spyOn(tf.engine(), 'runKernel');
  try {
    step();
    return run.mock.calls.map(([name]) => name);
  } finally {
    run.mockRestore();
  }
}

describeBackends('rotary positions over a cache', () => {
  const settings: [string, Setting, KeyValueCacheOptions, number][] = [
    ['half-split', { layout: 'half-split' }, {}, 2e-6],
    ['interleaved, grouped heads', { layout: 'interleaved', kvHeads: 2 }, { capacity: 90 }, 2e-6],
    ['some channels', { layout: 'half-split', rotaryDim: 4, kvHeads: 1 }, {}, 2e-6],
    ['halves', { layout: 'interleaved', rotaryDim: 2 }, { storage: 'f16' }, 1e-3],
    [
      'a window',
      { layout: 'half-split', mask: masks.and(masks.causal, masks.slidingWindow(20)) },
      { window: 20 },
      2e-6,
    ],
  ];
  for (const [name, setting, options, ratio] of settings) {
    test(`${name}: in pieces as in one pass`, async () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      const params = new ParamStore();
      // Over a window the cache is what hides old keys.
      const layer = layerOf(params, { ...setting, mask: masks.causal });
      const x = tokens([2, 90, dim], 1);
      const expected = layerOf(params, setting).forward(x);
      for (const pieces of [
        [1, 1, 1, 60, 1, 8, 2, 1, 15],
        [17, 1, 1, 1, 70],
      ]) {
        const cache = new KeyValueCache(options);
        let start = 0;
        const outputs = pieces.map((count) => {
          start += count;
          return layer.forward(tokensOf(x, start - count, count), { cache });
        });
        await expectClose(tf.concat(outputs, 1), expected, { ratio });
        cache.dispose();
      }
      params.dispose();
      warn.mockRestore();
    });
  }

  for (const layout of ['half-split', 'interleaved'] as const) {
    test(`${layout}: sequences of different lengths go on as each would alone`, async () => {
      const params = new ParamStore();
      const layer = layerOf(params, { layout, kvHeads: 2 });
      const x = tokens([2, 30, dim], 2);
      const expected = layer.forward(x);
      const cache = new KeyValueCache();
      const starts = [0, 0];
      for (const lengths of [
        [4, 11],
        [1, 1],
        [3, 1],
        [1, 0],
        [1, 1],
        [9, 12],
      ]) {
        const most = Math.max(...lengths);
        const rows = lengths.map((n, b) =>
          tf.concat([x.slice([b, starts[b]!, 0], [1, n, dim]), tf.fill([1, most - n, dim], 9)], 1),
        );
        const y = layer.forward(tf.concat(rows), { cache, lengths });
        for (const [b, n] of lengths.entries()) {
          const own = expected.slice([b, starts[b]!, 0], [1, n, dim]);
          if (n > 0) await expectClose(y.slice([b, 0, 0], [1, n, dim]), own);
          starts[b]! += n;
        }
      }
      cache.dispose();
      params.dispose();
    });
  }

  test('no dispatch only turns while tokens are decoded, and no tensor stays', async () => {
    const params = new ParamStore();
    const layer = layerOf(params, { layout: 'half-split' });
    const cache = new KeyValueCache({ capacity: 40 });
    const x = tokens([1, 1, dim], 3);
    layer.forward(tokens([1, 9, dim], 4), { cache }).dispose();
    const kernels = kernelsOf(() => layer.forward(x, { cache }).dispose());
    expect(kernels).not.toContain('headwise/Rotary');
    if (tf.getBackend() === 'webgpu') expect(kernels).toContain('headwise/DecodeAttention');
    await expectNoLeak(() => layer.forward(x, { cache }).dispose());
    // Where a tap wants the weights, they are those of turned queries and keys.
    const tapped: tf.Tensor[] = [];
    const tap = (name: string, value: tf.Tensor) => {
      if (name === 'attn.pattern') tapped.push(tf.keep(value.clone()));
    };
    cache.trim(9);
    layer.forward(x, { cache, tap }).dispose();
    cache.trim(9);
    const looked = layer.forward(x, { cache, tap });
    cache.trim(9);
    await expectClose(layer.forward(x, { cache }), looked);
    expect(tapped.map(({ shape }) => shape)).toEqual([
      [1, heads, 1, 10],
      [1, heads, 1, 10],
    ]);
    tf.dispose(tapped);
    cache.dispose();
    params.dispose();
  });
});
