import { cases, expectClose, gaussian, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { expertLinear, sumOfExperts } from '../experts/index.js';
import { routeTokens } from '../experts/routing.js';
import { packWeight } from '../packed-linear/pack.js';
import { unpackWeight } from '../packed-linear/unpack.js';
import { rmsNormReference } from '../rms-norm/reference.js';
import { chooseExperts } from './choose-experts.js';
import { type DecodeExperts, decodeExperts } from './experts.js';
import type { DecodeWeight } from './weight.js';

/** A weight of all experts, `[Out, In]`, and its values. */
async function weightOf(shape: [number, number], format: 'f32' | 'int8' | 'int4', seed: number) {
  const values = gaussian(shape, seed) as tf.Tensor2D;
  if (format === 'f32') {
    return { weight: { values, layout: 'out-in' } as DecodeWeight, values };
  }
  const weight = packWeight((await values.data()) as Float32Array, shape, format, 'out-in');
  return { weight: weight as DecodeWeight, values: unpackWeight(weight).transpose<tf.Tensor2D>() };
}

const sizes = [
  { tokens: 1, experts: 3, active: 2, dim: 12, hidden: 7, format: 'f32' },
  { tokens: 3, experts: 70, active: 5, dim: 13, hidden: 9, format: 'f32' },
  { tokens: 2, experts: 4, active: 2, dim: 35, hidden: 33, format: 'int8' },
  { tokens: 8, experts: 5, active: 4, dim: 64, hidden: 40, format: 'int4' },
] as const;

describe('decodeExperts gives what the layers of experts give', () => {
  for (const one of cases(sizes, (_, i) => i !== 3)) {
    const { tokens, experts: count, active, dim, hidden, format } = one;
    for (const normalize of [true, false]) {
      test(`${JSON.stringify(one)}, weights ${normalize ? 'of a sum of 1' : 'as they are'}`, async () => {
        const x = gaussian([tokens, dim], 1) as tf.Tensor2D;
        const router = gaussian([count, dim], 2) as tf.Tensor2D;
        const [gate, up, down] = await Promise.all([
          weightOf([count * hidden, dim], format, 3),
          weightOf([count * hidden, dim], format, 4),
          weightOf([count * dim, hidden], format, 5),
        ]);
        const norm = { kind: 'rms', weight: gaussian([dim], 6), epsilon: 1e-6 } as const;
        const residual = gaussian([tokens, dim], 7) as tf.Tensor2D;
        const expected = tf.tidy(() => {
          const rows = rmsNormReference(x, norm.weight, 1e-6) as tf.Tensor2D;
          const scores = tf.matMul(rows, router, false, true) as tf.Tensor2D;
          const routing = routeTokens(scores, active);
          const gates = expertLinear(rows, gate!.values, routing, 'tokens');
          const gated = gates
            .mul(gates.sigmoid())
            .mul(expertLinear(rows, up!.values, routing, 'tokens'));
          const likely = tf.softmax(scores);
          const chosen = tf.gather(likely, routing.choices, 1, 1) as tf.Tensor2D;
          const weights = normalize ? chosen.div(chosen.sum(1, true)) : chosen;
          const ordered = weights.reshape([-1, 1]).gather(routing.order);
          const pairs = expertLinear(gated.mul(ordered), down!.values, routing, 'pairs');
          return sumOfExperts(pairs, routing).add(residual);
        });
        const parts: DecodeExperts = {
          router,
          gate: gate!.weight,
          up: up!.weight,
          down: down!.weight,
          active,
          normalize,
          activation: 'silu',
        };
        await poisonMemory([
          [tokens, dim],
          [tokens * active, hidden],
          [tokens, active],
        ]);
        const before = tf.memory().numTensors;
        const actual = decodeExperts(x, parts, { norm, residual });
        expect(tf.memory().numTensors).toBe(before + 1);
        await expectClose(actual, expected, { ratio: 3e-5 });
      });
    }
  }

  test('sizes that do not go together are refused', () => {
    const at = (...shape: [number, number]) =>
      ({ values: tf.zeros(shape), layout: 'out-in' }) as DecodeWeight;
    const parts = { gate: at(6, 4), up: at(6, 4), down: at(12, 2), active: 2, normalize: true };
    const experts = { ...parts, router: tf.zeros([3, 4]), activation: 'silu' } as DecodeExperts;
    const x = tf.zeros<tf.Rank.R2>([1, 4]);
    const refused = (more: Partial<DecodeExperts>) => () =>
      decodeExperts(x, { ...experts, ...more });
    expect(refused({ up: at(5, 4) })).toThrow(
      'decodeExperts: up has shape [4, 5]; expected [4, 6]',
    );
    expect(refused({ down: at(12, 3) })).toThrow('decodeExperts: down');
    expect(refused({ gate: at(7, 4) })).toThrow('decodeExperts: gate');
    expect(() => decodeExperts(tf.zeros([1, 5]), experts)).toThrow('decodeExperts: x');
  });
});

test('equal scores go to the expert with the lower number, also of more experts than lanes', async () => {
  const row = Array.from({ length: 200 }, (_, e) => (e % 90 === 70 ? 3 : e === 5 ? 4 : -1));
  const scores = tf.tensor2d([row, row.map(() => 2)]);
  const { choices, weights } = chooseExperts(scores, 4, true);
  const routed = routeTokens(scores, 4);
  expect([...(await choices.data())]).toEqual([5, 70, 160, 0, 0, 1, 2, 3]);
  expect([...(await routed.choices.data())]).toEqual([...(await choices.data())]);
  const sum = 1 + 2 * Math.exp(-1) + Math.exp(-5);
  const likely = [1, Math.exp(-1), Math.exp(-1), Math.exp(-5)].map((x) => x / sum);
  await expectClose(weights, [...likely, 0.25, 0.25, 0.25, 0.25]);
});
