import { ParamStore } from '@headwise/core';
import { KeyValueCache } from '@headwise/decoding';
import { masks } from '@headwise/kernels';
import { describeBackends, expectClose, expectNoLeak, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { MultiHeadAttention } from './multi-head.js';
import { FusedProjection } from './projections.js';

const sizes = { dim: 6, heads: 3 };

function attention(params: ParamStore, fused = false): MultiHeadAttention {
  return new MultiHeadAttention(params, {
    ...sizes,
    mask: masks.causal,
    projection: fused ? FusedProjection : undefined,
  });
}

describeBackends('MultiHeadAttention', () => {
  test('with a fused projection equals one with separate projections of the same weights', async () => {
    const separate = new ParamStore({ seed: 1 });
    const layer = attention(separate);
    const values: Record<string, number[][]> = {};
    for (const [path, variable] of Object.entries(separate.named())) {
      values[path] = (await variable.reshape([-1, variable.shape.at(-1)!]).array()) as number[][];
    }
    const sideBySide = (part: string) =>
      values[`qProj.${part}`]!.flatMap((_, row) =>
        ['qProj', 'kProj', 'vProj'].flatMap((name) => values[`${name}.${part}`]![row]!),
      );
    const source = {
      read: (path: string) =>
        Float32Array.from(
          path.startsWith('qkv') ? sideBySide(path.split('.')[1]!) : values[path]!.flat(),
        ),
    };
    const fused = new ParamStore({ source });
    const x = gaussian([2, 5, 6], 3);
    await expectClose(attention(fused, true).forward(x), layer.forward(x));
    separate.dispose();
    fused.dispose();
  });

  test('with a cache, token by token and in chunks, equals one pass', async () => {
    const params = new ParamStore({ seed: 2 });
    const layer = attention(params, true);
    const x = gaussian([2, 7, 6], 4);
    const whole = layer.forward(x);
    for (const chunks of [[1, 1, 1, 1, 1, 1, 1], [4, 2, 1], [7]]) {
      const cache = new KeyValueCache();
      let start = 0;
      const parts = chunks.map((count) => {
        const part = layer.forward(x.slice([0, start, 0], [2, count, 6]), { cache });
        start += count;
        return part;
      });
      expect(cache.length).toBe(7);
      await expectClose(tf.concat(parts, 1), whole);
      cache.dispose();
    }
    params.dispose();
  });

  test('a later token never changes an earlier output', async () => {
    const params = new ParamStore({ seed: 3 });
    const layer = attention(params);
    const x = gaussian([1, 5, 6], 5);
    const changed = tf.concat([x.slice([0, 0, 0], [1, 4, 6]), gaussian([1, 1, 6], 6)], 1);
    const [a, b] = [layer.forward(x), layer.forward(changed)].map((y) =>
      y.slice([0, 0, 0], [1, 4, 6]),
    );
    expect(await a!.data()).toEqual(await b!.data());
    params.dispose();
  });

  test('without a mask, permuted tokens give permuted outputs', async () => {
    const params = new ParamStore({ seed: 4 });
    const layer = new MultiHeadAttention(params, sizes);
    const x = gaussian([1, 5, 6], 7);
    const order = tf.tensor1d([3, 0, 4, 2, 1], 'int32');
    await expectClose(layer.forward(x.gather(order, 1)), layer.forward(x).gather(order, 1));
    params.dispose();
  });

  test('gives every weight a gradient and leaves no tensor behind', async () => {
    const params = new ParamStore({ seed: 5 });
    const layer = attention(params);
    const x = gaussian([2, 3, 6], 8);
    const cotangent = gaussian([2, 3, 6], 9);
    const named = Object.entries(params.named());
    const run = () =>
      tf.variableGrads(
        () => layer.forward(x).mul(cotangent).sum(),
        named.map(([, v]) => v),
      );
    const { grads } = run();
    for (const [path, variable] of named) {
      const size = (await grads[variable.name]!.abs().sum().data())[0];
      // Softmax does not feel what is added to all scores of a row: the bias of the keys.
      if (path === 'kProj.bias') expect(size, path).toBeLessThan(1e-5);
      else expect(size, path).toBeGreaterThan(1e-5);
    }
    await expectNoLeak(() => {
      const { value, grads } = run();
      tf.dispose([value, grads]);
    });
    params.dispose();
  });

  test('sizes that do not fit are named', () => {
    const params = new ParamStore();
    expect(() => new MultiHeadAttention(params, { dim: 7, heads: 3 })).toThrow(
      'attention: dim 7 is not divisible by heads 3',
    );
    expect(() => attention(params).forward(tf.zeros([1, 2, 5]))).toThrow(
      'attention: x has shape [1, 2, 5]; expected [B, T, 6]',
    );
    params.dispose();
  });
});
