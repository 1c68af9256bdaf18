import { ParamStore } from '@headwise/core';
import { KeyValueCache, SegmentMemory } from '@headwise/decoding';
import { masks } from '@headwise/kernels';
import { RMSNorm } from '@headwise/layers';
import { AlibiPosition, RotaryPosition, TransformerXLPosition } from '@headwise/positions';
import { describeBackends, expectClose, fullOnly, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { attend } from './attend.js';
import { CrossAttention } from './cross.js';
import { MultiHeadAttention, type MultiHeadAttentionOptions } from './multi-head.js';
import { FusedProjection, KeyValueProjection } from './projections.js';
import { additiveScore } from './scores/additive.js';

/** A store with the parameters of another, each changed by a function. */
async function changed(
  from: ParamStore,
  change: (path: string, value: tf.Tensor) => tf.Tensor,
): Promise<ParamStore> {
  const values = new Map<string, Float32Array>();
  for (const [path, value] of Object.entries(from.named())) {
    values.set(path, (await change(path, value).data()) as Float32Array);
  }
  return new ParamStore({ source: { read: (path) => values.get(path)! } });
}

const shapesOf = (params: ParamStore) =>
  Object.fromEntries(Object.entries(params.named()).map(([path, v]) => [path, v.shape]));

describeBackends('attention layers', (backend) => {
  // The kernel's own test of it runs on the GPU.
  const notOnWebGpu = backend === 'webgpu' ? fullOnly : test;

  test('fewer heads of keys are as many heads of the same keys', async () => {
    const sizes = { dim: 12, heads: 6, mask: masks.causal, headDim: 5 };
    const few = new ParamStore({ seed: 1 });
    const x = gaussian([2, 7, 12], 2);
    for (const kvHeads of [1, 2, 3]) {
      const params = few.at(kvHeads);
      const grouped = new MultiHeadAttention(params, { ...sizes, kvHeads });
      const many = await changed(params, (path, value) => {
        if (!/kProj|vProj/.test(path)) return value;
        const heads = value.reshape([-1, kvHeads, 5]);
        const copies = Array.from({ length: 6 }, (_, h) => Math.floor((h * kvHeads) / 6));
        return heads.gather(tf.tensor1d(copies, 'int32'), 1);
      });
      const whole = new MultiHeadAttention(many.at(kvHeads), sizes);
      await expectClose(grouped.forward(x), whole.forward(x));
      many.dispose();
    }
    few.dispose();
  });

  test('parameters have the widths that the options say, in either layout', () => {
    const params = new ParamStore();
    const sizes = { dim: 6, heads: 4, kvHeads: 2, headDim: 5, outDim: 7 };
    new MultiHeadAttention(params.at('a'), { ...sizes, bias: { q: false, out: false } });
    const fused = { projection: FusedProjection, bias: false, layout: 'out-in' } as const;
    new MultiHeadAttention(params.at('b'), { ...sizes, ...fused });
    new CrossAttention(params.at('c'), { ...sizes, kvDim: 9, bias: false, layout: 'out-in' });
    expect(shapesOf(params)).toEqual({
      'a.qProj.weight': [6, 20],
      'a.kProj.weight': [6, 10],
      'a.kProj.bias': [10],
      'a.vProj.weight': [6, 10],
      'a.vProj.bias': [10],
      'a.outProj.weight': [20, 7],
      'b.qkv.weight': [40, 6],
      'b.outProj.weight': [7, 20],
      'c.qProj.weight': [20, 6],
      'c.kProj.weight': [10, 9],
      'c.vProj.weight': [10, 9],
      'c.outProj.weight': [7, 20],
    });
    params.dispose();
  });

  test('with rotary positions, in pieces with a cache equals one pass', async () => {
    const params = new ParamStore({ seed: 3 });
    const options: MultiHeadAttentionOptions = {
      dim: 8,
      heads: 4,
      kvHeads: 2,
      mask: masks.causal,
      position: new RotaryPosition({ headDim: 2 }),
      qkNorm: (norm, dim) => new RMSNorm(norm, { dim }),
    };
    const layer = new MultiHeadAttention(params, options);
    expect(Object.keys(params.named()).filter((path) => path.includes('Norm'))).toEqual([
      'qNorm.weight',
      'kNorm.weight',
    ]);
    const x = gaussian([2, 6, 8], 4);
    const cache = new KeyValueCache();
    const pieces = [
      [0, 3],
      [3, 1],
      [4, 2],
    ].map(([start, count]) => layer.forward(x.slice([0, start!, 0], [2, count!, 8]), { cache }));
    await expectClose(tf.concat(pieces, 1), layer.forward(x));
    const still = new MultiHeadAttention(params, { ...options, position: undefined });
    const difference = await layer.forward(x).sub(still.forward(x)).abs().max().data();
    expect(difference[0]).toBeGreaterThan(1e-5);
    cache.dispose();
    params.dispose();
  });

  test('norms of heads that one map makes are those of heads by maps of their own, with every gradient', async () => {
    const norm = (store: ParamStore, dim: number) => new RMSNorm(store, { dim });
    const options: MultiHeadAttentionOptions = {
      ...{ dim: 8, heads: 4, kvHeads: 2, headDim: 6, mask: masks.causal, qkNorm: norm },
      position: new RotaryPosition({ headDim: 6 }),
    };
    const [params, fusedParams] = [new ParamStore({ seed: 3 }), new ParamStore({ seed: 4 })];
    const separate = new MultiHeadAttention(params, options);
    const fused = new MultiHeadAttention(fusedParams, { ...options, projection: FusedProjection });
    const [own, theirs] = [params.named(), fusedParams.named()];
    for (const [path, variable] of Object.entries(own)) {
      const changed = gaussian(variable.shape, path.length);
      variable.assign(changed);
      theirs[path]?.assign(changed);
    }
    const maps = (of: Record<string, tf.Tensor>, part: string) =>
      ['q', 'k', 'v'].map((name) => of[`${name}Proj.${part}`]!);
    theirs['qkv.weight']!.assign(tf.concat(maps(own, 'weight'), 1));
    theirs['qkv.bias']!.assign(tf.concat(maps(own, 'bias'), 0));
    const [x, dy] = [gaussian([2, 7, 8], 5), gaussian([2, 7, 8], 6)];
    const gradientsOf = (layer: MultiHeadAttention, of: Record<string, tf.Variable>) => {
      const { value, grads } = tf.variableGrads(
        () => layer.forward(x).mul(dy).sum(),
        Object.values(of),
      );
      const named = Object.entries(of).map(([path, { name }]) => [path, grads[name]!] as const);
      return { value, gradients: Object.fromEntries(named) as Record<string, tf.Tensor> };
    };
    const [expected, actual] = [gradientsOf(separate, own), gradientsOf(fused, theirs)];
    await expectClose(actual.value, expected.value);
    const { gradients } = expected;
    const joined = {
      'qkv.weight': tf.concat(maps(gradients, 'weight'), 1),
      'qkv.bias': tf.concat(maps(gradients, 'bias'), 0),
    };
    expect(Object.keys(actual.gradients).length).toBe(6);
    for (const [path, gradient] of Object.entries(actual.gradients)) {
      await expectClose(gradient, { ...gradients, ...joined }[path]!);
    }
    params.dispose();
    fusedParams.dispose();
  });

  test('cross-attention of one key gives its value, whoever asks', async () => {
    const params = new ParamStore({ seed: 5 });
    const cross = new CrossAttention(params, { dim: 6, heads: 3, kvDim: 5, outDim: 4 });
    const encoded = gaussian([2, 1, 5], 6);
    const y = cross.forward(gaussian([2, 3, 6], 7), encoded);
    const named = params.named();
    const value = tf.matMul(encoded.reshape([2, 5]), named['vProj.weight'] as tf.Tensor2D);
    const expected = tf.matMul(value as tf.Tensor2D, named['outProj.weight'] as tf.Tensor2D);
    await expectClose(y, expected.expandDims(1).tile([1, 3, 1]));
    params.dispose();
  });

  test('cross-attention gives every weight a gradient', async () => {
    const params = new ParamStore({ seed: 8 });
    const cross = new CrossAttention(params, { dim: 6, heads: 3, kvDim: 5, kvHeads: 1 });
    const [x, encoded] = [gaussian([2, 3, 6], 9), gaussian([2, 7, 5], 10)];
    const named = Object.entries(params.named());
    // Weights as small as those that a model starts from leave the gradient of the queries' bias next to nothing.
    for (const [, variable] of named) variable.assign(tf.mul(variable, 10));
    const { grads } = tf.variableGrads(
      () => cross.forward(x, encoded).square().sum(),
      named.map(([, v]) => v),
    );
    for (const [path, variable] of named) {
      const size = (await grads[variable.name]!.abs().sum().data())[0];
      // Softmax does not feel what is added to all scores of a row; a zero bias of the queries, to none.
      if (path !== 'kProj.bias') expect(size, path).toBeGreaterThan(1e-6);
    }
    params.dispose();
  });

  test('keys and values of one matrix are those of its halves, and so are its gradients', async () => {
    const sizes = { dim: 6, heads: 4, kvHeads: 2, headDim: 3, kvDim: 5 };
    const apart = new ParamStore({ seed: 21 });
    const separate = new CrossAttention(apart, sizes);
    for (const variable of Object.values(apart.named())) {
      variable.assign(gaussian(variable.shape, variable.size));
    }
    const values = apart.named();
    const halves = (name: string, axis: number) =>
      tf.concat([values[`kProj.${name}`]!, values[`vProj.${name}`]!], axis);
    const both = new ParamStore();
    const paired = new CrossAttention(both, { ...sizes, projection: KeyValueProjection });
    for (const [path, variable] of Object.entries(both.named())) {
      const given = { 'kv.weight': halves('weight', 1), 'kv.bias': halves('bias', 0) }[path];
      variable.assign(given ?? values[path]!);
    }
    const [x, encoded] = [gaussian([2, 3, 6], 22), gaussian([2, 7, 5], 23)];
    const mask = tf.tensor2d([1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0], [2, 7], 'int32');
    const cotangent = gaussian([2, 3, 6], 24);
    const run = (layer: CrossAttention) => layer.forward(x, encoded, undefined, mask);
    await expectClose(run(paired), run(separate));
    const gradients = (layer: CrossAttention, params: ParamStore) => {
      const named = Object.entries(params.named());
      const { grads } = tf.variableGrads(
        () => run(layer).mul(cotangent).sum(),
        named.map(([, v]) => v),
      );
      return Object.fromEntries(named.map(([path, v]) => [path, grads[v.name]!]));
    };
    const expected = gradients(separate, apart);
    for (const [path, gradient] of Object.entries(gradients(paired, both))) {
      const [of] = /^kv\.(weight|bias)$/.exec(path) ? [path.slice(3)] : [undefined];
      const axis = of === 'weight' ? 1 : 0;
      const whole =
        of === undefined
          ? expected[path]!
          : tf.concat([expected[`kProj.${of}`]!, expected[`vProj.${of}`]!], axis);
      // Softmax does not feel what is added to all scores of a row: the bias of keys has no gradient.
      await expectClose(gradient, whole, { floor: 1e-5 });
    }
    apart.dispose();
    both.dispose();
  });

  test('a sequence that sees nothing gives the bias of the output, and gradients of zero', async () => {
    const params = new ParamStore({ seed: 11 });
    const cross = new CrossAttention(params, { dim: 6, heads: 3, kvDim: 5, bias: { out: true } });
    const [x, encoded] = [gaussian([2, 3, 6], 12), gaussian([2, 4, 5], 13)];
    const mask = tf.tensor2d([0, 0, 0, 0, 1, 1, 0, 1], [2, 4], 'int32');
    const run = (x: tf.Tensor, encoded: tf.Tensor) => cross.forward(x, encoded, undefined, mask);
    const first = (x: tf.Tensor) => x.slice([0, 0, 0], [1, -1, -1]);
    await expectClose(first(run(x, encoded)), Array(18).fill(0));
    const [dx, dEncoded] = tf.grads((x, encoded) => run(x!, encoded!))([x, encoded]);
    await expectClose(first(dx!), Array(18).fill(0));
    await expectClose(first(dEncoded!), Array(20).fill(0));
    expect((await dEncoded!.abs().sum().data())[0]).toBeGreaterThan(0);
    params.dispose();
  });

  notOnWebGpu('NaN in one sequence stays in it', async () => {
    const params = new ParamStore({ seed: 14 });
    const position = new AlibiPosition({ heads: 3 });
    const layer = new MultiHeadAttention(params, {
      dim: 6,
      heads: 3,
      mask: masks.causal,
      position,
    });
    const clean = gaussian([1, 5, 6], 15);
    const both = tf.concat([tf.fill([1, 5, 6], Number.NaN), clean]);
    const dy = gaussian([2, 5, 6], 16);
    const second = (x: tf.Tensor) => x.slice([1, 0, 0], [1, 5, 6]);
    await expectClose(second(layer.forward(both)), layer.forward(clean));
    const gradient = tf.grad((x) => layer.forward(x))(both, dy);
    await expectClose(second(gradient), tf.grad((x) => layer.forward(x))(clean, second(dy)));
    params.dispose();
  });

  test('a segment after others in a memory equals the end of one pass', async () => {
    const params = new ParamStore({ seed: 17 });
    const sizes = { dim: 6, heads: 3, headDim: 2 };
    const positions = [
      new TransformerXLPosition(params.at('xl'), sizes),
      new RotaryPosition({ headDim: 2 }),
      new AlibiPosition({ heads: 3 }),
    ];
    const x = gaussian([2, 7, 6], 18);
    for (const position of positions) {
      const layer = new MultiHeadAttention(params.at('layer'), {
        ...sizes,
        mask: masks.causal,
        position,
      });
      const memory = new SegmentMemory(10);
      const segments = [0, 3, 5].map((from, i) =>
        layer.forward(x.slice([0, from, 0], [2, [3, 2, 2][i]!, 6]), { memory }),
      );
      await expectClose(tf.concat(segments, 1), layer.forward(x));
      memory.dispose();
    }
    params.dispose();
  });

  test('what does not fit is named', () => {
    const params = new ParamStore();
    const make = (options: MultiHeadAttentionOptions) => () =>
      new MultiHeadAttention(params, options);
    expect(make({ dim: 8, heads: 4, kvHeads: 3 })).toThrow(
      'attention: kvHeads 3 does not divide heads 4',
    );
    expect(make({ dim: 8, heads: 4, kvHeads: 0 })).toThrow(
      'attention: kvHeads is 0; expected a positive integer',
    );
    expect(make({ dim: 8, heads: 4, headDim: 2.5 })).toThrow('attention: headDim is 2.5');
    const projection = FusedProjection;
    expect(make({ dim: 8, heads: 4, kvDim: 6, projection })).toThrow(
      'attention: one map cannot make queries of width 8 and keys of width 6; expected SeparateProjection',
    );
    expect(make({ dim: 8, heads: 4, bias: { k: false }, projection })).toThrow(
      'attention: one map has a bias or none; got q true, k false, v true; expected SeparateProjection',
    );
    expect(make({ dim: 8, heads: 4, score: additiveScore, scale: 2 })).toThrow(
      "attention: the score 'additive' is not a product; got a scale of 2",
    );
    expect(make({ dim: 8, heads: 4, mask: 'causal' as never })).toThrow(
      "attention: mask is 'causal'; expected a mask, such as causal, padding(tokens) or dense(pairs)",
    );
    expect(make({ dim: 8, heads: 4, mods: [((s: unknown) => s) as never] })).toThrow(
      'attention: mods[0] is a function; expected what scoreMod(…) makes',
    );
    expect(
      () => new CrossAttention(params.at('bad'), { dim: 8, heads: 4, mask: tf.ones([2]) as never }),
    ).toThrow('attention: mask is a tensor of shape [2]; expected a mask');
    const q = tf.zeros([1, 1, 2, 3]);
    const mods = [true as never];
    expect(() => attend(q, q, q, { mods })).toThrow('attend: mods[0] is true; expected');
    const cache = new KeyValueCache();
    expect(() => cache.attend('layer', q, q, q, { mods })).toThrow(
      "cache of 'layer': mods[0] is true; expected",
    );
    expect(cache.lengthOf('layer')).toBe(0);
    cache.dispose();
    const cross = new CrossAttention(params.at('cross'), { dim: 8, heads: 4, kvDim: 6 });
    expect(() => cross.forward(tf.zeros([1, 2, 8]), tf.zeros([1, 3, 8]))).toThrow(
      'attention: source of keys has shape [1, 3, 8]; expected [B, Tk, 6]',
    );
    expect(() => cross.forward(tf.zeros([1, 2, 8]), tf.zeros([2, 3, 6]))).toThrow(
      'attention: k has shape [2, 4, 3, 2]; expected [1, Hkv, Tk, 2]',
    );
    params.dispose();
  });
});
