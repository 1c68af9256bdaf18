import {
  cases,
  expectClose,
  gaussian,
  outputAndGradientsOnCpu,
  poisonMemory,
} from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { afterAll, afterEach, describe, test } from 'vitest';
import { compilePipelines } from '../dispatch/pipelines.js';
import { select } from './expression/expression.js';
import { scoreTable } from './expression/table.js';
import { type AttentionOptions, attention } from './index.js';
import { dense } from './masks/dense.js';
import { and, type Mask, none, or, visible } from './masks/mask.js';
import { causal, prefix, slidingWindow } from './masks/order.js';
import { documents, padding } from './masks/tokens.js';
import { type ScoreMod, scoreMod } from './mods.js';
import { forceTiling, tilingsOf } from './tilings.js';

interface Sizes {
  batch: number;
  heads: number;
  kvHeads: number;
  queries: number;
  keys: number;
}

const ints = (shape: number[], of: (i: number) => number) =>
  tf.tensor(
    Int32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => of(i)),
    shape,
  );

/** Made where they are used, on the backend in use. */
const masks: Record<string, (sizes: Sizes) => Mask> = {
  none: () => none,
  causal: () => causal,
  'padding by lengths': ({ keys }) => padding(tf.tensor1d([keys >> 1, keys], 'int32')),
  'padding on the left': ({ batch, keys }) =>
    padding(ints([batch, keys], (i) => (i % keys >= (i < keys ? 0 : keys >> 1) ? 1 : 0))),
  'sliding window': () => and(causal, slidingWindow(9)),
  'prefix or causal': () => or(causal, prefix(5)),
  documents: ({ batch, keys }) =>
    and(documents(ints([batch, keys], (i) => Math.floor((i % keys) / 23) * 7)), causal),
  'every fourth': () => visible((b, _h, q, k) => q.sub(k).add(b).mod(4).equal(0)),
  dense: ({ queries, keys }) =>
    dense(ints([1, 1, queries, keys], (i) => (i % 3 === 0 ? 0 : 1)).toBool()),
};

interface Mod {
  /** The shape of its table. */
  table?: (sizes: Sizes) => number[];
  of: (sizes: Sizes, values: tf.Tensor) => ScoreMod[];
}

const clip = 6;
const mods: Record<string, Mod> = {
  'no mod': { of: () => [] },
  'soft-cap': { of: () => [scoreMod((score) => score.div(2).tanh().mul(2))] },
  'slope per head': {
    table: ({ heads }) => [heads],
    of: (_, slopes) => [
      scoreMod((score, _b, h, q, k) =>
        score.add(scoreTable(slopes).at(h).mul(k.sub(q).toFloat().mul(0.1))),
      ),
    ],
  },
  'bias by distance': {
    table: ({ heads, keys }) => [heads, 2 * keys - 1],
    of: ({ keys }, biases) => [
      scoreMod((score, _b, h, q, k) => score.add(scoreTable(biases).at(h, k.sub(q).add(keys - 1)))),
    ],
  },
  'buckets, capped': {
    table: ({ heads }) => [8, heads],
    of: (_, biases) => [
      scoreMod((score, _b, h, q, k) => {
        const distance = q.sub(k).abs();
        const far = distance.toFloat().max(1).log().mul(1.5).add(2).floor().toInt().min(7);
        return score.add(scoreTable(biases).at(select(distance.less(4), distance, far), h));
      }),
      scoreMod((score) => score.div(3).tanh().mul(3)),
    ],
  },
  'clipped distances of each query': {
    table: ({ batch, heads, queries }) => [batch, heads, queries, 2 * clip + 1],
    of: ({ queries, keys }, scores) => [
      scoreMod((score, b, h, q, k) =>
        score.add(
          scoreTable(scores).at(
            b,
            h,
            q.sub(keys - queries),
            k.sub(q).min(clip).max(-clip).add(clip),
          ),
        ),
      ),
    ],
  },
  'factor of each key': {
    table: ({ batch, keys }) => [batch, keys],
    of: (_, factors) => [
      scoreMod((score, b, _h, _q, k) =>
        score.mul(scoreTable(factors).at(b, k)).sub(score.square().mul(0.1)),
      ),
    ],
  },
  'places on a grid': {
    table: () => [7, 7],
    of: (_, biases) => [
      scoreMod((score, _b, _h, q, k) =>
        score.add(
          scoreTable(biases)
            .at(k.mod(4).sub(q.mod(4)).add(3), k.div(4).sub(q.div(4)).add(3))
            .tanh(),
        ),
      ),
    ],
  },
};

const lengths = [1, 7, 63, 64, 65, 257];
const layouts = [
  [4, 4],
  [4, 2],
  [4, 1],
] as const;

const backend = tf.backend() as WebGPUBackend;
const widths = { key: 8, value: 5 };
let combinations = 0;
afterEach(() => forceTiling(undefined));
afterAll(() => console.log(`${combinations} combinations of mask, score mod, heads and lengths`));

/** A pair of a mask and a mod; `turn` is another length, another layout of heads. */
interface Case {
  mask: string;
  mod: string;
  pair: number;
  turn: number;
  /** Also the gradients of q, k, v, the table and the sinks. */
  training: boolean;
}

/** Compares with the plain path on the cpu. */
async function compare({ mask, mod, pair, turn, training }: Case): Promise<void> {
  const n = 2 * pair + 5 * turn;
  const [heads, kvHeads] = layouts[n % layouts.length]!;
  const queries = lengths[n % lengths.length]!;
  const keys = lengths[(n + (n % 4 === 3 ? 2 : 0)) % lengths.length]!;
  const sizes: Sizes = { batch: 2, heads, kvHeads, queries, keys };
  const { table: shape, of } = mods[mod]!;
  const shapes = [
    [2, heads, queries, widths.key],
    [2, kvHeads, keys, widths.key],
    [2, kvHeads, keys, widths.value],
    [heads],
    ...(shape ? [shape(sizes)] : []),
  ];
  const inputs = shapes.map((shape, i) => gaussian(shape, 10 * n + i));
  const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, sinks: tf.Tensor, values?: tf.Tensor) => {
    const options: AttentionOptions = {
      mask: masks[mask]!(sizes),
      mods: of(sizes, values!),
      ...(pair % 3 === 1 ? { sinks } : {}),
      ...(pair % 5 === 2 ? { dropout: { rate: 0.2, seed: 99 } } : {}),
    };
    const y = attention(q, k, v, options);
    return options.sinks ? y : y.add(sinks.sum().mul(0));
  };
  const run = (...xs: tf.Tensor[]) => f(xs[0]!, xs[1]!, xs[2]!, xs[3]!, xs[4]);
  const expected = await outputAndGradientsOnCpu(run, inputs);
  const cotangent = gaussian([2, heads, queries, widths.value], 12345);
  const step = () => [run(...inputs), ...(training ? tf.grads(run)(inputs, cotangent) : [])];
  await compilePipelines(step);
  await poisonMemory([...shapes, [2, heads, queries, 2], [2, heads, queries, 4]]);
  const [y, ...gradients] = step();
  await expectClose(y!, expected.output, { floor: 1e-6 });
  for (const [i, gradient] of gradients.entries()) {
    await expectClose(gradient, expected.gradients[i]!, { ratio: 2e-5, floor: 2e-6 });
  }
  tf.dispose([y!, ...gradients, ...inputs, cotangent]);
  combinations++;
}

describe('attention equals the plain path', () => {
  const [ofMasks, ofMods] = [Object.keys(masks), Object.keys(mods)];
  const pairs = ofMasks.flatMap((mask, i) => ofMods.map((mod, j) => ({ mask, mod, i, j })));
  // Each mask with one mod, each mod with a mask: every pair compiles programs of its own.
  for (const { mask, mod, i, j } of cases(pairs, ({ i, j }) => (i + j) % 8 === 0)) {
    const pair = i * ofMods.length + j;
    // Programs take seconds to compile: three of each mask's mods and each mod's masks go backward too.
    const training = (i + j) % 3 === 0;
    test(`${mask} × ${mod}${training ? ', with gradients' : ''}`, async () => {
      const tilings = tilingsOf(backend, widths);
      // Most pairs in the tiling that compiles soonest.
      const tiling = pair % 11 === 0 ? tilings[(pair / 11) % tilings.length]! : tilings.at(-1)!;
      forceTiling(tiling.key);
      for (const turn of [0, 1, 2]) await compare({ mask, mod, pair, turn, training });
    });
  }
});
