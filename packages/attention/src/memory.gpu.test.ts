import { ParamStore } from '@headwise/core';
import {
  AlibiPosition,
  DisentangledPosition,
  ShawPosition,
  TransformerXLPosition,
} from '@headwise/positions';
import { cases, gaussian, peakOfBuffers } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  additiveScore,
  MultiHeadAttention,
  type MultiHeadAttentionOptions,
  masks,
} from './index.js';

const sizes = { dim: 8, heads: 1, headDim: 8 };
const variants: Record<string, (params: ParamStore) => Partial<MultiHeadAttentionOptions>> = {
  alibi: () => ({ position: new AlibiPosition({ heads: 1 }) }),
  additive: () => ({ score: additiveScore }),
  shaw: (params) => ({ position: new ShawPosition(params, { headDim: 8, clip: 4 }) }),
  disentangled: (params) => ({
    position: new DisentangledPosition(params, params.at('own'), {
      ...sizes,
      ...{ span: 8, maxDistance: 64, terms: ['content-to-position', 'position-to-content'] },
    }),
  }),
  'transformer-xl': (params) => ({ position: new TransformerXLPosition(params, sizes) }),
};

/** The most bytes in use beyond those before, while a layer takes a training step. */
async function peakBytes(variant: string, length: number): Promise<number> {
  const params = new ParamStore({ seed: 1 });
  const parts = variants[variant]!(params.at('part'));
  const layer = new MultiHeadAttention(params.at('layer'), {
    ...sizes,
    mask: masks.causal,
    ...parts,
  });
  const x = gaussian([1, length, sizes.dim], 1);
  await x.add(0).data();
  const variables = Object.values(params.named());
  const step = () => {
    const { value, grads } = tf.variableGrads(() => layer.forward(x).square().sum(), variables);
    tf.dispose([value, grads]);
  };
  step();
  const peak = await peakOfBuffers(step);
  await x.data();
  x.dispose();
  params.dispose();
  return peak;
}

// One of the mods, and one of the terms that are made for some queries at a time.
for (const variant of cases(Object.keys(variants), (v) => v === 'alibi' || v === 'additive')) {
  test(`memory of a training step grows with T, not with its square: ${variant}`, async () => {
    const [short, long] = [await peakBytes(variant, 512), await peakBytes(variant, 2048)];
    expect(Math.log2(long / short) / 2).toBeLessThan(1.15);
  }, 300_000);
}
