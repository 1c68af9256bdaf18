import { initializers, ParamStore } from '@headwise/core';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { Muon, type MuonOptions } from './muon.js';

/** An embedding, three maps in one matrix, a map and a head, as a decoder has them. */
function decoder(): ParamStore {
  const params = new ParamStore({ seed: 1 });
  const init = initializers.normal(0.5);
  params.at('tokens').table('weight', [11, 4], init);
  params.at('blocks.0.attn.qkv').matrix('weight', [4, 8], 'in-out', init, [4, 2, 2]);
  params.at('blocks.0.attn.qkv').get('bias', [8], init);
  params.at('blocks.0.mlp.up').matrix('weight', [6, 4], 'out-in', init);
  params.at('head').matrix('weight', [11, 4], 'out-in', init);
  params.get('blocks.0.attn.scales', [2, 3], initializers.zeros);
  return params;
}

const make = (options: MuonOptions = {}) => new Muon(decoder().named(), options);

test('updates the weights of linear maps but the head, and leaves the rest to AdamW', () => {
  const moments = Object.keys(make().state).filter((name) => !name.startsWith('v.'));
  expect(moments.sort()).toEqual([
    'm.blocks.0.attn.qkv.bias',
    'm.blocks.0.attn.scales',
    'm.head.weight',
    'm.tokens.weight',
    'momentum.blocks.0.attn.qkv.weight',
    'momentum.blocks.0.mlp.up.weight',
  ]);
});

test('queries, keys and values of one matrix step as if each had its own', async () => {
  const params = decoder();
  const { 'blocks.0.attn.qkv.weight': qkv } = params.named();
  const apart = tf.split(qkv!, [4, 2, 2], 1).map((part) => tf.variable(part));
  const gradient = tf.randomNormal([4, 8], 0, 1, 'float32', 5);
  const optimizer = new Muon({ qkv: qkv! });
  const others = new Muon(Object.fromEntries(apart.map((part, i) => [`${i}`, part])), {
    matrices: () => true,
    layout: () => 'in-out',
  });
  optimizer.update({ qkv: gradient }, 0.1);
  others.update(
    Object.fromEntries(tf.split(gradient, [4, 2, 2], 1).map((g, i) => [`${i}`, g])),
    0.1,
  );
  await expectClose(qkv!, tf.concat(apart, 1), { ratio: 1e-6 });
  const whole = new Muon({ qkv: qkv! }, { parts: () => undefined });
  const before = qkv!.clone();
  whole.update({ qkv: gradient }, 0.1);
  // The norm of the step of one orthogonal matrix [4, 8]: 4 singular values near 1, times √(8 / 4).
  const step = qkv!.sub(before.mul(1 - 0.1 * 0.1)).norm();
  expect((await step.data())[0]! / (0.1 * Math.sqrt(4) * Math.sqrt(2))).toBeCloseTo(0.9, 0);
});

test('names what it cannot update', () => {
  expect(() => make({ parts: () => [3, 2] })).toThrow(
    "Muon: the parts of 'blocks.0.attn.qkv.weight' are [3, 2]; expected positive ones that sum to its 8 outputs",
  );
  expect(() => make({ matrices: (path) => path.endsWith('bias') })).toThrow(
    "Muon: 'blocks.0.attn.qkv.bias' has shape [8]; expected a matrix",
  );
  expect(() => make({ matrices: () => false })).toThrow(
    'Muon: none of 6 parameters is the weight of a linear map',
  );
  expect(() => make({ momentum: 1 })).toThrow('Muon: momentum is 1; expected at least 0');
  expect(() => make({ iterations: 0 })).toThrow('Muon: iterations is 0; expected a whole number');
  expect(() => make({ adamw: { rate: -1 } })).toThrow('Muon: adamw.rate is -1');
});
