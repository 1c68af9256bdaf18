import { type ForwardContext, ParamStore, Random } from '@headwise/core';
import { sizeOf } from '@headwise/core/internal';
import { cases, expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import {
  type Composition,
  dim,
  everyPair,
  headDim,
  heads,
  layouts,
  lengthsFor,
  maskKinds,
  modifiers,
  positions,
  scores,
} from './compositions.cases.js';
import { type AttentionLayerOptions, CrossAttention, MultiHeadAttention } from './index.js';

/** A chunk of queries has 128. */
const lengths = [1, 7, 63, 64, 65, 257];
const modifierNames = Object.keys(modifiers);

/** A layer whose scores differ by some units, and what it is given. */
function made({ score, position, mask, layout }: Composition, length: number, modifier: string) {
  const params = new ParamStore({
    source: {
      read(path, shape) {
        const random = new Random(path.length + shape.length);
        const value = () => (path === 'temperature' ? 1.5 : 0.2 * random.nextNormal() + 0.05);
        return Float32Array.from({ length: sizeOf(shape) }, value);
      },
    },
  });
  const options: AttentionLayerOptions = {
    dim,
    heads,
    headDim,
    // Softmax does not feel the bias of the keys: its gradient is what rounding leaves.
    bias: { k: false },
    score: scores[score]!,
    ...layouts[layout],
    ...modifiers[modifier]!(params),
  };
  const x = gaussian([2, length, dim], 1);
  if (layout !== 'cross') {
    const given = {
      mask: maskKinds[mask]!(length, length),
      position: positions[position]!(params.at('position')),
    };
    const layer = new MultiHeadAttention(params, { ...options, ...given });
    return {
      params,
      inputs: [x],
      run: (ctx: ForwardContext, [x]: tf.Tensor[]) => layer.forward(x!, ctx),
    };
  }
  const encoded = gaussian([2, length + 3, 10], 2);
  const layer = new CrossAttention(params, {
    ...options,
    mask: maskKinds[mask]!(length, length + 3),
  });
  const run = (ctx: ForwardContext, [x, encoded]: tf.Tensor[]) => layer.forward(x!, encoded!, ctx);
  return { params, inputs: [x, encoded], run };
}

/** The output and every gradient, by name. */
function results({ params, inputs, run }: ReturnType<typeof made>, ctx: () => ForwardContext) {
  const named = params.named();
  const given = inputs.map((x) => tf.variable(x));
  let output: tf.Tensor | undefined;
  const { grads } = tf.variableGrads(() => {
    output = tf.keep(run(ctx(), given));
    return output.mul(gaussian(output.shape, 3)).sum();
  }, [...given, ...Object.values(named)]);
  tf.dispose(given);
  return {
    output: output!,
    ...Object.fromEntries(given.map(({ name }, i) => [`input ${i}`, grads[name]!])),
    ...Object.fromEntries(Object.entries(named).map(([path, v]) => [path, grads[v.name]!])),
  } as Record<string, tf.Tensor>;
}

const looking = Object.assign(() => {}, { wants: (name: string) => name.endsWith('pattern') });
let fused = 0;
const compositions = everyPair();
const lengthOf = lengthsFor(compositions, lengths);
/** The shaders of each composition take seconds to compile. */
const chosen = cases(compositions, (_, i) => i % 24 === 12);

/** Positions by what they write into a shader: rotary ones write nothing, and all of T5's the same. */
const kinds = ['none', 'alibi', 't5', 'shaw', 'transformer-xl'];
const kindOf = (position: string) =>
  Math.max(
    0,
    kinds.findIndex((kind) => position.startsWith(kind)),
  );

const inChunks = ({ score, position }: Composition) =>
  /additive/.test(score) || position === 'shaw' || position === 'transformer-xl';

for (const composition of chosen) {
  const length = lengthOf[compositions.indexOf(composition)]!;
  // The same for the same shaders, which take far longer to compile than to run.
  const which = kindOf(composition.position) + Object.keys(maskKinds).indexOf(composition.mask);
  const turn = modifierNames[which % modifierNames.length]!;
  // Each chunk of queries draws its own dropout, which the whole cannot repeat.
  const modifier = turn === 'dropout' && length > 128 && inChunks(composition) ? 'plain' : turn;
  const { score, position, mask, layout } = composition;
  test(`${score} / ${position} / ${mask} / ${layout} / ${modifier}, ${length} tokens`, async () => {
    const training = { training: modifier === 'dropout' };
    const context = (more: ForwardContext) => () => ({
      ...training,
      random: new Random(5),
      ...more,
    });
    const layer = made(composition, length, modifier);
    const { kernelNames } = await tf.profile(() =>
      tf.tidy(() => layer.run(context({})(), layer.inputs)),
    );
    if (kernelNames.includes('headwise/Attention')) fused++;
    const [actual, expected] = [
      results(layer, context({})),
      results(layer, context({ tap: looking })),
    ];
    for (const [name, value] of Object.entries(actual)) {
      try {
        await expectClose(value, expected[name]!, { ratio: 2e-5, floor: 1e-6 });
      } catch (error) {
        throw new Error(`${name}: ${(error as Error).message}`);
      }
    }
    layer.params.dispose();
  }, 300_000);
}

test('every part meets every length', () => {
  for (const [axis, parts] of Object.entries({
    score: scores,
    position: positions,
    mask: maskKinds,
    layout: layouts,
  })) {
    for (const part of Object.keys(parts)) {
      const met = lengthOf.filter((_, i) => compositions[i]![axis as keyof Composition] === part);
      expect(new Set(met), `${axis} ${part}`).toEqual(new Set(lengths));
    }
  }
});

afterAll(() => {
  const plain = chosen.filter(({ position }) => position === 'shaw').length;
  expect(fused).toBe(chosen.length - plain);
});
