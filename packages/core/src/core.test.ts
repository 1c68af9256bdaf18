import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startBackend } from './backend/start.js';
import { checkShape, type Initializer, ParamStore, Random, type RandomState } from './index.js';
import { constant, glorotUniform, normal, ones, zeros } from './initializers.js';
import { hashText } from './random.js';

describe('Random', () => {
  test('is xoshiro128** of the paper', () => {
    // The reference implementation in C, started at the state 1, 2, 3, 4.
    const random = new Random([1, 2, 3, 4]);
    const drawn = Array.from({ length: 6 }, () => random.nextUint32());
    expect(drawn).toEqual(xoshiro128StarStar([1, 2, 3, 4], 6));
    expect(drawn[0]).toBe(11520);
  });

  test('goes on from its state, and seeds differ', () => {
    const random = new Random(2 ** 40 + 1);
    for (let i = 0; i < 10; i++) random.next();
    const again = new Random(random.state);
    expect(again.next()).toBe(random.next());
    const first = [0, 1, 2 ** 40, 2 ** 40 + 1].map((seed) => new Random(seed).next());
    expect(new Set(first).size).toBe(4);
  });

  test('is uniform in [0, 1), and normal with mean 0 and deviation 1', () => {
    const random = new Random(7);
    const uniform = Array.from({ length: 20_000 }, () => random.next());
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform)).toBeLessThan(1);
    expect(mean(uniform)).toBeCloseTo(0.5, 2);
    const normal = Array.from({ length: 20_000 }, () => random.nextNormal());
    expect(Math.abs(mean(normal))).toBeLessThan(0.02);
    expect(mean(normal.map((x) => x * x))).toBeCloseTo(1, 1);
  });

  test('refuses seeds and states that cannot be', () => {
    expect(() => new Random(0.5)).toThrow('a random seed must be an integer; got 0.5');
    expect(() => new Random([0, 0, 0, 0])).toThrow('a random state has four words, not all zero');
  });
});

const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** Blackman and Vigna's xoshiro128starstar.c, in integers of unlimited size. */
function xoshiro128StarStar(start: RandomState, count: number): number[] {
  const mask = 0xffffffffn;
  const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask;
  const s = start.map(BigInt) as [bigint, bigint, bigint, bigint];
  return Array.from({ length: count }, () => {
    const result = (rotl((s[1] * 5n) & mask, 7n) * 9n) & mask;
    const t = (s[1] << 9n) & mask;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11n);
    return Number(result);
  });
}

test('initializers fill as they say', async () => {
  const params = new ParamStore({ seed: 1 });
  const filled = async (name: string, shape: number[], init: Initializer) => [
    ...(await params.get(name, shape, init).data()),
  ];
  expect(await filled('zeros', [2, 3], zeros)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(await filled('ones', [2], ones)).toEqual([1, 1]);
  expect(await filled('constant', [], constant(0.5))).toEqual([0.5]);
  expect(await filled('own', [2], (_, random) => Float32Array.of(random.next(), 3))).toEqual([
    Math.fround(new Random(hashText('1/own')).next()),
    3,
  ]);
  const weights = await filled('normal', [100, 100], normal(0.02));
  expect(Math.sqrt(mean(weights.map((w) => w * w)))).toBeCloseTo(0.02, 3);
  const limit = Math.sqrt(6 / 300);
  const glorot = await filled('glorot', [100, 200], glorotUniform);
  expect(Math.max(...glorot.map(Math.abs))).toBeLessThanOrEqual(limit);
  expect(Math.max(...glorot)).toBeGreaterThan(0.99 * limit);
  params.dispose();
});

describe('checkShape', () => {
  test('lets letters stand for one size each', () => {
    checkShape('x', [2, 3, 2], ['B', 3, 'B']);
    expect(() => checkShape('x', [2, 3, 4], ['B', 3, 'B'])).toThrow(
      'x has shape [2, 3, 4]; expected [B, 3, B]',
    );
    expect(() => checkShape('x', [2], ['B', 'T'])).toThrow('x has shape [2]; expected [B, T]');
  });
});

describe('ParamStore', () => {
  test('names by path, ties by asking twice, and owns', async () => {
    const before = tf.memory().numTensors;
    const params = new ParamStore({ seed: 1 });
    const weight = params.at('blocks').at(0).get('weight', [2, 3], normal(1));
    expect(params.at('blocks.0').get('weight', [2, 3], normal(1))).toBe(weight);
    params.get('bias', [3], zeros);
    expect(Object.keys(params.named())).toEqual(['blocks.0.weight', 'bias']);
    expect(Object.keys(params.at('blocks').named())).toEqual(['blocks.0.weight']);
    expect(params.count()).toBe(9);
    expect(() => params.at('blocks.0').get('weight', [3, 2], zeros)).toThrow(
      "parameter 'blocks.0.weight' has shape [2, 3]; asked for [3, 2]",
    );
    params.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(() => params.get('late', [1], zeros)).toThrow("'late' was asked of a disposed store");
  });

  test('gives a parameter the same start whatever else there is', async () => {
    const [a, b] = [new ParamStore({ seed: 5 }), new ParamStore({ seed: 5 })];
    a.get('other', [4], normal(1));
    const first = a.get('weight', [4], normal(1));
    const second = b.get('weight', [4], normal(1));
    expect(await first.data()).toEqual(await second.data());
    expect(await a.get('other', [4], normal(1)).data()).not.toEqual(await first.data());
    const other = new ParamStore({ seed: 6 }).get('weight', [4], normal(1));
    expect(await other.data()).not.toEqual(await first.data());
    a.dispose();
    b.dispose();
  });

  test('reads from a source, and refuses another number of values', async () => {
    const params = new ParamStore({
      source: { read: (path) => Float32Array.from([path.length, 2]) },
    });
    expect([...(await params.get('abc', [2], zeros).data())]).toEqual([3, 2]);
    expect(() => params.get('abcd', [3], zeros)).toThrow(
      "parameter 'abcd' has shape [3], 3 values; got 2",
    );
    params.dispose();
  });
});

describe('a deferred ParamStore', () => {
  const store = () => new ParamStore({ seed: 3, deferred: () => {} });

  test('has shapes without memory, then the values that it is given', async () => {
    const before = tf.memory();
    const params = store();
    const large = params.get('large', [1 << 20, 1 << 20], normal(1));
    const weight = params.matrix('weight', [2, 3], 'in-out', normal(1)).variable!;
    const again = params.matrix('weight', [2, 3], 'in-out', normal(1)).variable!;
    const bias = params.get('bias', [3], normal(1));
    expect(params.waiting()).toEqual(['large', 'weight', 'bias']);
    expect(params.count()).toBe((1 << 20) * (1 << 20) + 9);

    params.fill('weight', Float32Array.of(1, 2, 3, 4, 5, 6));
    const tensor = tf.tensor1d([7, 8, 9]);
    params.fill('bias', tensor);
    tensor.dispose();
    expect([...(await weight.data())]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await again.data()).toEqual(await weight.data());
    expect([...(await bias.data())]).toEqual([7, 8, 9]);
    expect(params.waiting()).toEqual(['large']);
    expect(large.shape).toEqual([1 << 20, 1 << 20]);
    params.dispose();
    expect(tf.memory()).toMatchObject({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
      numBytes: before.numBytes,
    });
  });

  test('gives a parameter without values what it would have started with', async () => {
    const params = store();
    const late = params.get('weight', [5], normal(1));
    params.fill('weight');
    const usual = new ParamStore({ seed: 3 }).get('weight', [5], normal(1));
    expect(await late.data()).toEqual(await usual.data());
    params.dispose();
  });

  test('refuses other values than it waits for', () => {
    const params = store();
    params.get('weight', [2, 3], zeros);
    expect(() => params.fill('wieght')).toThrow("parameter 'wieght' does not exist");
    expect(() => params.fill('weight', new Float32Array(5))).toThrow('6 values; got 5');
    expect(() => params.fill('weight', tf.zeros([3, 2]))).toThrow('asked for [2, 3]');
    params.fill('weight');
    expect(() => params.fill('weight')).toThrow(
      "parameter 'weight' has its values already; change them with assign on its variable",
    );
    params.dispose();
  });

  test('refuses a packing that is not a function', () => {
    expect(() => new ParamStore({ packing: 'int8' as never })).toThrow(
      'ParamStore: packing is "int8"; expected a function',
    );
  });

  test('packs matrices, but none that a layer holds as it is', () => {
    const packed: string[] = [];
    const params = new ParamStore({
      deferred: () => {},
      packing: (path, shape) => {
        packed.push(path);
        let bytes = 0;
        return {
          step: 1,
          add: (values) => {
            bytes += values.length;
          },
          finish: () => ({ shape, bytes, dispose: () => {} }),
        };
      },
    });
    const free = params.matrix('free', [2, 3], 'in-out', zeros);
    const tied = params.get('tied', [2, 3], zeros);
    params.matrix('tied', [2, 3], 'out-in', zeros);
    const table = params.table('table', [2, 3], zeros);
    expect(params.packer('tied')).toBeUndefined();
    for (const path of params.waiting()) params.fill(path);
    expect(packed).toEqual(['free', 'table']);
    expect([free, table].map(({ packed }) => packed!.bytes)).toEqual([6, 6]);
    expect(params.table('table', [2, 3], zeros)).toBe(table);
    expect(params.packer('free')).toBeUndefined();
    expect(tied.isDisposed).toBe(false);
    params.dispose();
  });
});

describe('startBackend', () => {
  afterEach(async () => {
    vi.unstubAllEnvs();
    await tf.setBackend('cpu');
  });

  test('starts what is preferred, and reports it', async () => {
    for (const backend of ['cpu', 'wasm'] as const) {
      expect(await startBackend({ prefer: backend })).toEqual({
        backend,
        adapter: null,
        vendor: null,
        software: true,
        features: [],
        limits: {},
      });
      expect(tf.getBackend()).toBe(backend);
    }
  });

  test('takes HEADWISE_BACKEND, and an explicit choice before it', async () => {
    vi.stubEnv('HEADWISE_BACKEND', 'wasm');
    expect((await startBackend()).backend).toBe('wasm');
    expect((await startBackend({ prefer: 'cpu' })).backend).toBe('cpu');
  });

  test('a choice that cannot be met is an error that says why', async () => {
    await expect(startBackend({ prefer: 'webgl' as never })).rejects.toThrow(
      "prefer is 'webgl'; expected one of webgpu, wasm, cpu",
    );
    vi.stubEnv('HEADWISE_BACKEND', 'gpu');
    await expect(startBackend()).rejects.toThrow(
      "HEADWISE_BACKEND is 'gpu'; expected one of webgpu, wasm, cpu",
    );
  });
});
