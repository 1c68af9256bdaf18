import { initializers, ParamStore, Random } from '@headwise/core';
import { checkGradients, describeBackends, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  activations,
  addAndNorm,
  addTo,
  besideNorm,
  Dropout,
  Embedding,
  FeedForward,
  GatedFeedForward,
  LayerNorm,
  Linear,
  RMSNorm,
} from './index.js';

/** Every parameter gets a gradient that is not zero. */
async function expectGradients(params: ParamStore, run: () => tf.Tensor): Promise<void> {
  const named = Object.entries(params.named());
  const cotangent = gaussian(tf.tidy(run).shape, 99);
  const { value, grads } = tf.variableGrads(
    () => run().mul(cotangent).sum(),
    named.map(([, variable]) => variable),
  );
  for (const [path, variable] of named) {
    const size = (await grads[variable.name]!.abs().sum().data())[0];
    expect(size, path).toBeGreaterThan(0);
  }
  tf.dispose([value, grads, cotangent]);
}

describeBackends('layers', () => {
  test('Linear names its parameters, and its layouts are transposes of each other', async () => {
    const params = new ParamStore({ seed: 1 });
    const layer = new Linear(params.at('a'), { in: 3, out: 5 });
    expect(
      Object.fromEntries(Object.entries(params.named()).map(([k, v]) => [k, v.shape])),
    ).toEqual({
      'a.weight': [3, 5],
      'a.bias': [5],
    });
    const x = gaussian([2, 7, 3], 2);
    const rows = (await params.named()['a.weight']!.array()) as number[][];
    const transposed = rows[0]!.map((_, column) => rows.map((row) => row[column]!));
    const other = new ParamStore({ source: { read: () => Float32Array.from(transposed.flat()) } });
    const outIn = new Linear(other, { in: 3, out: 5, bias: false, layout: 'out-in' });
    await expectClose(outIn.forward(x), layer.forward(x));
    await expectGradients(params, () => layer.forward(x));
    params.dispose();
    other.dispose();
  });

  test('Embedding looks rows up, and scores are products with every row', async () => {
    const values = Float32Array.from({ length: 15 }, (_, i) => i);
    const params = new ParamStore({ source: { read: () => values } });
    const layer = new Embedding(params, { count: 5, dim: 3 });
    const rows = layer.forward(tf.tensor2d([4, 0], [1, 2], 'int32'));
    expect(rows.shape).toEqual([1, 2, 3]);
    expect([...(await rows.data())]).toEqual([12, 13, 14, 0, 1, 2]);
    const scores = layer.scores(tf.tensor2d([1, 0, 2], [1, 3]));
    expect([...(await scores.data())]).toEqual([4, 13, 22, 31, 40]);
    params.dispose();
  });

  test('a row of padding is looked up, but learns only from scores', async () => {
    const params = new ParamStore({ seed: 3 });
    const layer = new Embedding(params, { count: 5, dim: 3, padId: 2 });
    const ids = tf.tensor2d([4, 2, 2, 0], [2, 2], 'int32');
    const plain = new Embedding(params, { count: 5, dim: 3 });
    await expectClose(layer.forward(ids), plain.forward(ids));
    const weight = params.named().weight!;
    const gradientOf = async (f: () => tf.Tensor) => {
      const { grads } = tf.variableGrads(() => f().sum(), [weight]);
      return [...(await grads[weight.name]!.sum(1).data())];
    };
    expect(await gradientOf(() => layer.forward(ids))).toEqual([3, 0, 0, 0, 3]);
    expect(await gradientOf(() => plain.forward(ids))).toEqual([3, 0, 6, 0, 3]);
    const bias = tf.tensor1d([1, 2, 3, 4, 5]);
    const x = tf.zeros([1, 3]);
    expect([...(await layer.scores(x, bias).data())]).toEqual([1, 2, 3, 4, 5]);
    expect(await gradientOf(() => layer.scores(tf.ones([1, 3]), bias))).toEqual([3, 3, 3, 3, 3]);
    params.dispose();
  });

  test('norms start as the identity on normalised rows', async () => {
    const params = new ParamStore();
    const x = tf.tensor2d([1, -1, 1, -1, 2, -2, 2, -2], [2, 4]);
    const expected = [1, -1, 1, -1, 1, -1, 1, -1];
    for (const layer of [
      new LayerNorm(params.at('a'), { dim: 4 }),
      new RMSNorm(params.at('b'), { dim: 4 }),
    ]) {
      await expectClose(layer.forward(x), expected, { ratio: 1e-5 });
    }
    expect(Object.keys(params.named())).toEqual(['a.weight', 'a.bias', 'b.weight']);
    params.dispose();
  });

  test('addAndNorm is the addition and the norm, whichever norm, with a tap or without', async () => {
    const params = new ParamStore({ seed: 4 });
    const [x, added] = [gaussian([2, 3, 5], 1), gaussian([2, 3, 5], 2)];
    const halved = { forward: (x: tf.Tensor) => x.mul(0.5) };
    const norms = [
      new LayerNorm(params.at('a'), { dim: 5 }),
      new RMSNorm(params.at('b'), { dim: 5 }),
      halved,
    ];
    for (const norm of norms) {
      for (const ctx of [undefined, { tap: () => {} }]) {
        const { sum, y } = addAndNorm(norm, x, added, ctx);
        await expectClose(sum, x.add(added));
        await expectClose(y, norm.forward(x.add(added)));
      }
      const replaced = addAndNorm(norm, x, added, { tap: () => {} }, () => x);
      await expectClose(replaced.y, norm.forward(x));
    }
    params.dispose();
  });

  test('besideNorm and addTo are a norm and an addition, whichever layer', async () => {
    const params = new ParamStore({ seed: 4 });
    const [x, added] = [gaussian([2, 3, 5], 1), gaussian([2, 3, 5], 2)];
    const doubled = { forward: (x: tf.Tensor) => x.mul(2) };
    const norms = [
      new LayerNorm(params.at('a'), { dim: 5 }),
      new RMSNorm(params.at('b'), { dim: 5 }),
    ];
    for (const norm of [...norms, doubled]) {
      const { sum, y } = besideNorm(norm, x);
      await expectClose(sum, x);
      await expectClose(y, norm.forward(x));
    }
    const sizes = { dim: 5, hidden: 7 };
    const layers = [
      new FeedForward(params.at('c'), sizes),
      new GatedFeedForward(params.at('d'), sizes),
      doubled,
    ];
    for (const layer of layers) {
      await expectClose(addTo(added, layer, x), added.add(layer.forward(x)));
    }
    params.dispose();
  });

  test('Dropout drops in training only, seeded, and keeps the expectation', async () => {
    const layer = new Dropout({ rate: 0.25 });
    const x = tf.ones([100, 101]);
    expect(layer.forward(x)).toBe(x);
    expect(new Dropout({ rate: 0 }).forward(x, { training: true })).toBe(x);
    const run = async (seed: number) =>
      layer.forward(x, { training: true, random: new Random(seed) }).data();
    const y = await run(1);
    expect(await run(1)).toEqual(y);
    expect(await run(2)).not.toEqual(y);
    expect(new Set(y)).toEqual(new Set([0, Math.fround(4 / 3)]));
    expect(Array.from(y).reduce((sum, v) => sum + v, 0) / y.length).toBeCloseTo(1, 1);
    expect(() => layer.forward(x, { training: true })).toThrow('a generator in ctx.random');
    expect(() => new Dropout({ rate: 1 })).toThrow('Dropout: rate is 1; expected 0 ≤ rate < 1');
  });

  for (const [name, Layer] of [
    ['FeedForward', FeedForward],
    ['GatedFeedForward', GatedFeedForward],
  ] as const) {
    test(`${name}: every parameter learns, the gradient of x is right, hidden may be replaced`, async () => {
      const params = new ParamStore({ seed: 3 });
      const layer = new Layer(params.at('mlp'), { dim: 5, hidden: 7, bias: true });
      for (const variable of Object.values(params.named())) {
        variable.assign(gaussian(variable.shape, variable.size));
      }
      const x = gaussian([2, 3, 5], 4);
      await expectGradients(params, () => layer.forward(x));
      await checkGradients((x) => layer.forward(x!), [x]);
      const names: string[] = [];
      const silent = layer.forward(x, {
        tap: (name, value) => {
          names.push(name);
          return tf.zerosLike(value);
        },
      });
      expect(names).toEqual(['mlp.hidden']);
      const bias = await params.named()['mlp.down.bias']!.data();
      await expectClose(
        silent,
        Array(6)
          .fill([...bias])
          .flat(),
      );
      params.dispose();
    });
  }

  for (const [name, Layer] of [
    ['FeedForward', FeedForward],
    ['GatedFeedForward', GatedFeedForward],
  ] as const) {
    test(`${name} of weights that lie [out, in] is that of their transposes; its dropout is inside`, async () => {
      const params = new ParamStore({ seed: 5 });
      const options = {
        dim: 3,
        hidden: 7,
        init: initializers.normal(1),
        activation: 'relu',
      } as const;
      const expected = new Layer(params.at('a'), options);
      const double: Pick<Dropout, 'forward'> = { forward: (x) => x.mul(2) };
      const lain = { ...options, layout: 'out-in', dropout: double } as const;
      const layer = new Layer(params.at('b'), lain);
      for (const [path, variable] of Object.entries(params.at('a').named())) {
        const twin = params.named()[path.replace('a.', 'b.')]!;
        twin.assign(variable.rank === 2 ? variable.transpose() : variable);
      }
      const x = gaussian([2, 5, 3], 6);
      await expectClose(layer.forward(x), expected.forward(x).mul(2));
      await expectGradients(params.at('b'), () => layer.forward(x));
      params.dispose();
    });
  }

  test('activations by hand', async () => {
    const x = tf.tensor1d([-1, 0, 2]);
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
    await expectClose(activations.relu(x), [0, 0, 2]);
    await expectClose(activations.silu(x), [-sigmoid(-1), 0, 2 * sigmoid(2)]);
    await expectClose(activations.gelu(x), [-0.15865525, 0, 1.95449974]);
    await expectClose(activations.gelu_new(x), [-0.15880801, 0, 1.95459769]);
  });
});
