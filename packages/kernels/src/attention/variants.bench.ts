import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { scoreTable } from './expression/table.js';
import { attention } from './index.js';
import { and, type Mask } from './masks/mask.js';
import { causal, slidingWindow } from './masks/order.js';
import { documents } from './masks/tokens.js';
import { type ScoreMod, scoreMod } from './mods.js';
import { attentionReference } from './reference.js';

const [heads, width, clip] = [8, 64, 16];
const scale = 1 / Math.sqrt(width);

/** What a variant does to scores, with the shape of the table that it learns. */
interface Variant {
  mask?: (length: number) => Mask;
  mods?: (length: number, values: tf.Tensor) => ScoreMod[];
  table?: (length: number) => number[];
}

const variants: Record<string, Variant> = {
  causal: {},
  'window-256': { mask: () => and(causal, slidingWindow(256)) },
  documents: {
    mask: (length) => {
      const ids = Int32Array.from({ length }, (_, i) => Math.floor(i / 300));
      return and(causal, documents(tf.tensor2d(ids, [1, length], 'int32')));
    },
  },
  'soft-cap': { mods: () => [scoreMod((score) => score.div(30).tanh().mul(30))] },
  'learned-slopes': {
    table: () => [heads],
    mods: (_, slopes) => [
      scoreMod((score, _b, h, q, k) => score.sub(scoreTable(slopes).at(h).mul(q.sub(k).toFloat()))),
    ],
  },
  'bias-by-distance': {
    table: (length) => [heads, length],
    mods: (_, biases) => [
      scoreMod((score, _b, h, q, k) => score.add(scoreTable(biases).at(h, q.sub(k)))),
    ],
  },
  'clipped-distances': {
    table: (length) => [1, heads, length, clip + 1],
    mods: (_, scores) => [
      scoreMod((score, b, h, q, k) =>
        score.add(scoreTable(scores).at(b, h, q, q.sub(k).min(clip))),
      ),
    ],
  },
};

/** Beyond it, stock operations cannot bind their scores. */
const longestStock = 1024;

function contestants(variant: Variant, length: number, training: boolean) {
  const shape = [1, heads, length, width];
  const inputs = [1, 2, 3].map((seed) => gaussian(shape, seed));
  if (variant.table) inputs.push(gaussian(variant.table(length), 4));
  const dy = gaussian(shape, 5);
  const mask = variant.mask?.(length) ?? causal;
  const run = (f: (...inputs: tf.Tensor[]) => tf.Tensor) =>
    training ? () => tf.grads(f)(inputs, dy) : () => f(...inputs);
  const modsOf = (values?: tf.Tensor) => variant.mods?.(length, values!) ?? [];
  const ours = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, values?: tf.Tensor) =>
    attention(q, k, v, { mask, mods: modsOf(values) });
  const stock = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, values?: tf.Tensor) =>
    attentionReference(q, k, v, { mask, mods: modsOf(values), scale });
  const plain = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => attention(q, k, v, { mask: causal });
  return {
    ours: run((...xs) => ours(xs[0]!, xs[1]!, xs[2]!, xs[3])),
    peers: {
      ...(length <= longestStock
        ? { stock: run((...xs) => stock(xs[0]!, xs[1]!, xs[2]!, xs[3])) }
        : {}),
      ...(training ? {} : { causal: run((...xs) => plain(xs[0]!, xs[1]!, xs[2]!)) }),
    },
    dispose: () => tf.dispose([...inputs, dy]),
  };
}

const named = (name: string, length: number, training: boolean): Workload => ({
  name: `attention/${training ? 'training' : 'forward'}/${name}/B1H${heads}T${length}D${width}`,
  backends: ['webgpu'],
  prepare: () => contestants(variants[name]!, length, training),
});

export const workloads: Workload[] = [
  named('window-256', 4096, false),
  ...Object.keys(variants).flatMap((name) =>
    [512, 1024, 2048, 4096].map((length) => named(name, length, true)),
  ),
];
