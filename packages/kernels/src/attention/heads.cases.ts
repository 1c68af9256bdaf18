import { gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { scoreTable } from './expression/table.js';
import { Heads } from './heads.js';
import { type AttentionOptions, attention, attentionOfHeads } from './index.js';
import { and } from './masks/mask.js';
import { causal } from './masks/order.js';
import { padding } from './masks/tokens.js';
import { scoreMod } from './mods.js';

/** Heads as `[B, T, N, Dh]`. */
export const tokensFirst = (x: tf.Tensor) => x.transpose([0, 2, 1, 3]);
const joined = (...xs: tf.Tensor[]) => tf.concat(xs.map(tokensFirst), 2);

/** Sizes that a case is made of; `few`: every layout is tried in it by default. */
export interface Shape {
  heads: readonly [heads: number, kvHeads: number];
  queries: number;
  keys: number;
  width: number;
  few?: true;
}

/** Where q, k and v lie, from each of them as `[B, H, T, Dh]`: the tensors, and the heads in them. */
export interface HeadsLayout {
  /** Needs as many queries as keys, and heads of one width. */
  level?: boolean;
  tensors: (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor[];
  heads: (tensors: tf.Tensor[], count: number, kvCount: number) => [Heads, Heads, Heads];
}

export const layouts: Record<string, HeadsLayout> = {
  'tokens first': {
    tensors: (...qkv) => qkv.map(tokensFirst),
    heads: (xs) => xs.map((x) => Heads.ofTokens(x)) as [Heads, Heads, Heads],
  },
  'in one tensor': {
    level: true,
    tensors: (q, k, v) => [joined(q, k, v)],
    heads: ([x], n, m) => [
      Heads.ofTokens(x!, 0, n),
      Heads.ofTokens(x!, n, m),
      Heads.ofTokens(x!, n + m, m),
    ],
  },
  'in one tensor, values before keys, with others between': {
    level: true,
    tensors: (q, k, v) => [joined(v, q.mul(100), q, k, k.mul(-50))],
    heads: ([x], n, m) => [
      Heads.ofTokens(x!, m + n, n),
      Heads.ofTokens(x!, m + 2 * n, m),
      Heads.ofTokens(x!, 0, m),
    ],
  },
  'keys and values in one, queries heads first': {
    tensors: (q, k, v) => [q, joined(k, v)],
    heads: ([q, kv], _n, m) => [Heads.of(q!), Heads.ofTokens(kv!, 0, m), Heads.ofTokens(kv!, m, m)],
  },
};

export const shapes: readonly Shape[] = [
  { heads: [4, 2], queries: 65, keys: 65, width: 40, few: true },
  { heads: [8, 8], queries: 1, keys: 1, width: 8 },
  { heads: [6, 1], queries: 33, keys: 33, width: 7 },
  { heads: [2, 2], queries: 5, keys: 131, width: 64 },
  { heads: [3, 1], queries: 64, keys: 63, width: 80 },
];

/** A mask, and with tables also a learned slope and a sink for each head. */
function optionsOf(keys: number, tables: boolean, [slopes, sinks]: tf.Tensor[]): AttentionOptions {
  const mask = and(causal, padding(tf.tensor1d([keys, Math.max(1, keys >> 1)], 'int32')));
  if (!tables) return { mask };
  const slope = scoreMod((score, _b, h, q, k) =>
    score.sub(scoreTable(slopes!).at(h).mul(q.sub(k).abs().toFloat())),
  );
  return { mask, mods: [slope], sinks };
}

const bits = async (xs: tf.Tensor[]) =>
  Promise.all(xs.map(async (x) => new Uint32Array((await x.data()).slice().buffer)));

/**
 * Expects the same bits of attention, its gradients too, wherever its heads lie; with tables also those of a learned slope and of
 * sinks.
 */
export async function expectSameBits(
  { heads, queries, keys, width }: Shape,
  layout: HeadsLayout,
  tables: boolean,
): Promise<void> {
  const [n, m] = heads;
  const [q, k, v] = [
    gaussian([2, n, queries, width], 1),
    gaussian([2, m, keys, width], 2),
    gaussian([2, m, keys, width], 3),
  ] as const;
  const dy = gaussian([2, n, queries, width], 4);
  const learned = tables ? [gaussian([n], 5).mul(0.1), gaussian([n], 6)] : [];
  const plain = (...[q, k, v, ...rest]: tf.Tensor[]) =>
    attention(q!, k!, v!, optionsOf(keys, tables, rest));
  const given = [q, k, v, ...learned];
  const expected = [plain(...given), ...tf.grads(plain)(given, dy)];
  const tensors = layout.tensors(q, k, v);
  const count = tensors.length;
  const strided = (...xs: tf.Tensor[]) => {
    const options = optionsOf(keys, tables, xs.slice(count));
    return attentionOfHeads(...layout.heads(xs.slice(0, count), n, m), options);
  };
  const inputs = [...tensors, ...learned];
  const step = () => {
    const y = strided(...inputs);
    const cotangent = y.place.order === 'heads-first' ? dy : tokensFirst(dy);
    const gradients = tf.grads((...xs) => strided(...xs).tensor)(inputs, cotangent);
    const ofTensors = gradients.slice(0, count);
    const parts = layout.heads(ofTensors, n, m).map((part) => part.headsFirst());
    return { found: [y.headsFirst(), ...parts, ...gradients.slice(count)], ofTensors };
  };
  await poisonMemory([...tensors.map(({ shape }) => shape), dy.shape, [2, n, queries, 4]]);
  const { found, ofTensors } = step();
  expect(await bits(found)).toEqual(await bits(expected));
  expect(await bits(step().found)).toEqual(await bits(found));
  // Heads that take no part have gradients of zero: all that is left of the sum.
  const [all, own] = await Promise.all([ofTensors, found.slice(1, 4)].map(sumOfSquares));
  expect(Math.abs(all! / own! - 1)).toBeLessThan(1e-6);
}

async function sumOfSquares(xs: readonly tf.Tensor[]): Promise<number> {
  let sum = 0;
  for (const x of xs) for (const value of await x.data()) sum += value ** 2;
  return sum;
}
