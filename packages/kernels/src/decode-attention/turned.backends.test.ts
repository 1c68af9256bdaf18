import {
  describeKernels,
  expectClose,
  expectNoLeak,
  gaussian,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { causal } from '../attention/masks/order.js';
import { rotary } from '../rotary/index.js';
import type { RotaryTables } from '../rotary/tables.js';
import { appendKeysValues } from './append.js';
import { decodeAttention } from './index.js';
import { decodeAttentionReference } from './reference.js';

const plain = { mask: causal, mods: [], scale: 0.5 };

/** Tables of random angles; with a batch each sequence has its own. */
function tablesOf(
  layout: RotaryTables['layout'],
  shape: [number, number] | [number, number, number],
): RotaryTables {
  return tf.tidy(() => {
    const angles = gaussian(shape, 9).mul(3);
    return { cos: angles.cos(), sin: angles.sin(), layout };
  });
}

const turned = (x: tf.Tensor, { cos, sin, layout }: RotaryTables) => rotary(x, cos, sin, layout);

/** Heads of queries and keys, new tokens, tokens in all, width and pairs; tables of each sequence or of all. */
const cases = [
  { heads: [8, 8], tokens: 1, length: 65, width: 64, pairs: 32, own: false },
  { heads: [8, 2], tokens: 1, length: 130, width: 40, pairs: 10, own: true },
  { heads: [6, 2], tokens: 3, length: 63, width: 7, pairs: 3, own: true },
  { heads: [4, 1], tokens: 8, length: 64, width: 80, pairs: 1, own: false },
  { heads: [2, 2], tokens: 2, length: 5, width: 256, pairs: 128, own: false },
  { heads: [2, 1], tokens: 11, length: 30, width: 8, pairs: 3, own: true },
] as const;

describeKernels('a cache of turned keys', () => {
  describe('queries and keys turned as they are loaded', () => {
    for (const layout of ['half-split', 'interleaved'] as const) {
      for (const { heads, tokens, length, width, pairs, own } of cases) {
        const name = `${layout}, ${tokens} of ${length} tokens, heads ${heads.join('/')} of ${width}, ${pairs} pairs${own ? ' of each sequence' : ''}`;
        test(`${name}, are those turned before`, async () => {
          const turn = tablesOf(layout, own ? [2, tokens, pairs] : [tokens, pairs]);
          const q = gaussian([2, heads[0], tokens, width], 1);
          const added = {
            k: gaussian([2, heads[1], tokens, width], 2),
            v: gaussian([2, heads[1], tokens, width], 3),
          };
          const room = () => [4, 5].map((seed) => gaussian([2, heads[1], length + 3, width], seed));
          const [k, v] = room() as [tf.Tensor, tf.Tensor];
          const [plainK, plainV] = room() as [tf.Tensor, tf.Tensor];
          appendKeysValues({ k, v }, added, { position: length - tokens, turn });
          appendKeysValues(
            { k: plainK, v: plainV },
            { ...added, k: turned(added.k, turn) },
            { position: length - tokens },
          );
          await expectClose(k, plainK, { ratio: 1e-6 });
          expect(await v.data()).toEqual(await plainV.data());
          await poisonMemory([q.shape]);
          await expectClose(
            decodeAttention(q, k, v, { length, scale: 0.5, turn }),
            decodeAttentionReference(turned(q, turn), plainK, plainV, { ...plain, length }),
          );
          await expectNoLeak(() => {
            appendKeysValues({ k, v }, added, { position: length - tokens, turn });
            decodeAttention(q, k, v, { length, turn }).dispose();
          });
          tf.dispose([k, v, plainK, plainV]);
        });
      }
    }

    test('tables that do not fit are named', () => {
      const x = tf.zeros([2, 3, 1, 4]);
      const cache = { k: tf.zeros([2, 3, 5, 4]), v: tf.zeros([2, 3, 5, 4]) };
      const give = (shape: [number, number] | [number, number, number]) => {
        const turn = tablesOf('half-split', shape);
        return [
          () => appendKeysValues(cache, { k: x, v: x }, { position: 0, turn }),
          () => decodeAttention(x, cache.k, cache.v, { length: 1, turn }),
        ];
      };
      for (const run of give([2, 2]))
        expect(run).toThrow('cos has shape [2, 2]; expected [1, R/2]');
      for (const run of give([3, 1, 2])) {
        expect(run).toThrow('cos has shape [3, 1, 2]; expected [2, 1, R/2]');
      }
      for (const run of give([1, 3])) expect(run).toThrow('cos has 3 pairs of channels');
      tf.dispose([cache.k, cache.v]);
    });
  });
});
