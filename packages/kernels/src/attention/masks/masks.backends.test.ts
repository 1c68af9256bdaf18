import { InputError } from '@headwise/core';
import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { rowAttention } from '../../row-attention/index.js';
import { evaluate, placesOf } from '../expression/evaluate.js';
import { attention } from '../index.js';
import { attentionMap } from '../map.js';
import { dense } from './dense.js';
import { and, type Mask, none, or, visible } from './mask.js';
import { causal, prefix, slidingWindow } from './order.js';
import { documents, padding } from './tokens.js';

/** What each query of each sequence sees, a line a query: `x` is seen. */
async function seen(mask: Mask, batch: number, queries: number, keys: number): Promise<string[][]> {
  const shape = [batch, 1, queries, keys];
  const places = placesOf({ batch, heads: 1, queries, keys });
  const value = mask.condition
    ? evaluate(mask.condition.node, places).toFloat().add(tf.zeros(shape))
    : tf.ones(shape);
  const rows = (await value.array()) as number[][][][];
  return rows.map(([head]) => head!.map((row) => row.map((x) => (x ? 'x' : '.')).join('')));
}

describeBackends('masks', () => {
  test('are what their names say, the last query at the last key', async () => {
    expect(await seen(none, 1, 2, 3)).toEqual([['xxx', 'xxx']]);
    expect(await seen(causal, 1, 3, 5)).toEqual([['xxx..', 'xxxx.', 'xxxxx']]);
    expect(await seen(causal, 1, 3, 2)).toEqual([['..', 'x.', 'xx']]);
    expect(await seen(slidingWindow(2), 1, 4, 4)).toEqual([['xx..', 'xxx.', '.xxx', '..xx']]);
    expect(await seen(and(causal, slidingWindow(2)), 1, 3, 4)).toEqual([['xx..', '.xx.', '..xx']]);
    expect(await seen(or(causal, prefix(2)), 1, 3, 3)).toEqual([['xx.', 'xx.', 'xxx']]);
    expect(await seen(prefix(tf.tensor1d([0, 1], 'int32')), 2, 1, 2)).toEqual([['..'], ['x.']]);
    const strided = visible((_b, _h, q, k) => q.sub(k).mod(2).equal(0));
    expect(await seen(strided, 1, 3, 4)).toEqual([['.x.x', 'x.x.', '.x.x']]);
    expect(await seen(or(causal, none), 1, 1, 2)).toEqual([['xx']]);
  });

  test('of tokens: lengths, places of tokens, documents', async () => {
    const lengths = padding(tf.tensor1d([3, 1], 'int32'));
    expect(await seen(lengths, 2, 1, 3)).toEqual([['xxx'], ['x..']]);
    const tokens = padding(tf.tensor2d([1, 1, 0, 0, 1, 1], [2, 3], 'int32'));
    expect(await seen(tokens, 2, 1, 3)).toEqual([['xx.'], ['.xx']]);
    const flags = padding(tf.tensor2d([1, 1, 0], [1, 3]).toBool());
    expect(await seen(flags, 1, 1, 3)).toEqual([['xx.']]);
    const packed = documents(tf.tensor2d([7, 7, 2, 2, 2], [1, 5], 'int32'));
    expect(await seen(packed, 1, 3, 5)).toEqual([['..xxx', '..xxx', '..xxx']]);
    expect(await seen(and(packed, causal), 1, 4, 5)).toEqual([
      ['xx...', '..x..', '..xx.', '..xxx'],
    ]);
  });

  test('dense ones say it of every pair', async () => {
    const pairs = tf.tensor4d([1, 0, 0, 0, 1, 1], [1, 1, 2, 3]);
    expect(await seen(dense(pairs.toInt()), 2, 2, 3)).toEqual([
      ['x..', '.xx'],
      ['x..', '.xx'],
    ]);
    const added = tf.tensor4d([0.5, -Infinity, 0, -3.4e38, 1, 1], [1, 1, 2, 3]);
    expect(await seen(dense(added), 1, 2, 3)).toEqual([['x.x', '.xx']]);
  });

  test('that cannot be are named', () => {
    expect(() => slidingWindow(0)).toThrow(
      'slidingWindow: width is 0; expected a whole number of at least 1',
    );
    expect(() => prefix(1.5)).toThrow(
      'prefix: length is 1.5; expected a whole number of at least 0',
    );
    expect(() => or()).toThrow('or: no masks; expected at least one');
    const added = dense(tf.zeros([1, 1, 2, 2]));
    expect(() => or(causal, added)).toThrow(
      'or(causal, dense): dense adds to scores; expected masks that only hide',
    );
    expect(() => documents(tf.zeros([3], 'int32'))).toThrow(
      'documents: ids have shape [3]; expected [B, Tk]',
    );
    const q = tf.zeros([2, 4, 3, 5]);
    const wrong = (mask: Mask) => () => attention(q, q, q, { mask });
    expect(wrong(and(causal, documents(tf.zeros([2, 4], 'int32'))))).toThrow(
      'attention: mask and(causal, documents): ids has shape [2, 4]; expected [2, 3]',
    );
    expect(wrong(dense(tf.zeros([2, 2, 3, 3])))).toThrow(
      'attention: mask dense: pairs has shape [2, 2, 3, 3]; expected [1 or 2, 1 or 4, 3, 3]',
    );
  });

  test('are masks, or named as what they are', () => {
    const expected = '; expected a mask, such as causal, padding(tokens) or dense(pairs)';
    const q = tf.zeros([2, 4, 3, 5]);
    const given = (mask: unknown) => () => attention(q, q, q, { mask: mask as Mask });
    expect(given('causal')).toThrow(`attention: mask is 'causal'${expected}`);
    expect(given(true)).toThrow(`attention: mask is true${expected}`);
    expect(given(null)).toThrow(`attention: mask is null${expected}`);
    expect(given(tf.ones([3, 3]))).toThrow(
      `attention: mask is a tensor of shape [3, 3]${expected}`,
    );
    expect(given(tf.variable(tf.ones([3])))).toThrow(
      `attention: mask is a tensor of shape [3]${expected}`,
    );
    expect(given(padding)).toThrow(`attention: mask is a function${expected}`);
    expect(given([causal])).toThrow(`attention: mask is a list of 1${expected}`);
    expect(given({})).toThrow(InputError);
    const mask = 'causal' as unknown as Mask;
    expect(() => and(causal, mask)).toThrow(`and: argument 2 is 'causal'${expected}`);
    expect(() => or(mask, causal)).toThrow(`or: argument 1 is 'causal'${expected}`);
    expect(() => rowAttention(q, q, q, { inputs: [] }, { mask })).toThrow('rowAttention: mask is');
    expect(() => attentionMap(q, q, {}, { mask })).toThrow('attentionMap: mask is');
    expect(() => visible((() => true) as never)).toThrow(
      'visible: what the function returns is true; expected a condition, such as k.lessEqual(q)',
    );
  });
});
