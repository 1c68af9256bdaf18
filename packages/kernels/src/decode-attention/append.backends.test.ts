import { describeKernels, expectClose, expectNoLeak, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { causal } from '../attention/masks/order.js';
import { appendKeysValues } from './append.js';
import { decodeAttention } from './index.js';
import { decodeAttentionReference } from './reference.js';

describeKernels('appendKeysValues', () => {
  test('appendKeysValues writes tokens in place, leaves the others and other tensors as they are', async () => {
    const start = [gaussian([2, 3, 9, 5], 1), gaussian([2, 3, 9, 5], 2)];
    const cache = { k: start[0]!.add(0), v: start[1]!.add(0) };
    const before = await Promise.all(start.map((x) => x.data()));
    // Values that were read before must not be taken for those after.
    await cache.k.data();
    const added = { k: gaussian([2, 3, 2, 5], 3), v: gaussian([2, 3, 2, 5], 4) };
    appendKeysValues(cache, added, { position: 4 });
    for (const [i, name] of (['k', 'v'] as const).entries()) {
      const expected = tf.concat(
        [
          start[i]!.slice([0, 0, 0, 0], [2, 3, 4, 5]),
          added[name],
          start[i]!.slice([0, 0, 6, 0], [2, 3, 3, 5]),
        ],
        2,
      );
      expect(await cache[name].data()).toEqual(await expected.data());
      expect(await start[i]!.data()).toEqual(before[i]);
    }
    await expectNoLeak(() => appendKeysValues(cache, added, { position: 7 }));
    expect(() => appendKeysValues(cache, added, { position: 8 })).toThrow(
      'appendKeysValues: 2 tokens at position 8 do not fit into a cache for 9',
    );
    tf.dispose([cache.k, cache.v]);
  });

  test('appendKeysValues, token by token with decodeAttention, equals one pass', async () => {
    const [q, k, v] = [1, 2, 3].map((seed) => gaussian([1, 2, 6, 8], seed)) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const cache = {
      k: tf.zeros([1, 2, 10, 8]),
      v: tf.zeros([1, 2, 10, 8]),
    };
    const token = (x: tf.Tensor, t: number) => x.slice([0, 0, t, 0], [1, 2, 1, 8]);
    const outputs = Array.from({ length: 6 }, (_, t) => {
      appendKeysValues(cache, { k: token(k, t), v: token(v, t) }, { position: t });
      return decodeAttention(token(q, t), cache.k, cache.v, { length: t + 1 });
    });
    await expectClose(
      tf.concat(outputs, 2),
      decodeAttentionReference(q, k, v, { mask: causal, mods: [], scale: 8 ** -0.5, length: 6 }),
    );
    tf.dispose([cache.k, cache.v]);
  });
});
