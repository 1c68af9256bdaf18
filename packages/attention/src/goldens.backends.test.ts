import { ParamStore } from '@headwise/core';
import { SegmentMemory } from '@headwise/decoding';
import {
  AlibiPosition,
  RotaryPosition,
  ShawPosition,
  T5Position,
  TransformerXLPosition,
} from '@headwise/positions';
import { cases, describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import golden from './goldens/layers.json' with { type: 'json' };
import {
  additiveScore,
  CrossAttention,
  dotProductScore,
  FusedProjection,
  generalScore,
  MultiHeadAttention,
  type MultiHeadAttentionOptions,
  masks,
  plainAdditiveScore,
} from './index.js';

interface Shaped {
  shape: number[];
  data: number[];
}

const tensorOf = ({ shape, data }: Shaped) => tf.tensor(data, shape);
const ofPyTorch = { layout: 'out-in' } as const;
const ofFormulas = { dim: 12, heads: 3, bias: false, mask: masks.causal } as const;
const atPosition = (params: ParamStore) => params.at('position');

/** How each layer is made of our parts. */
const options: Record<string, (params: ParamStore) => MultiHeadAttentionOptions> = {
  MultiheadAttention: () => ({
    ...ofPyTorch,
    dim: 12,
    heads: 3,
    mask: masks.causal,
    projection: FusedProjection,
  }),
  'MultiheadAttention, cross, padded': () => ({ ...ofPyTorch, dim: 12, heads: 3, kvDim: 5 }),
  LlamaAttention: () => ({
    ...ofPyTorch,
    dim: 16,
    heads: 4,
    kvHeads: 2,
    headDim: 6,
    bias: false,
    mask: masks.causal,
    position: new RotaryPosition({ headDim: 6, base: 500 }),
  }),
  'BloomAttention, 4 heads': () => bloom(4),
  'BloomAttention, 6 heads': () => bloom(6),
  'T5Attention, bidirectional': (params) => t5(params, true),
  'T5Attention, causal': (params) => t5(params, false),
  Shaw: (params) => ({
    ...ofFormulas,
    mask: undefined,
    position: new ShawPosition(atPosition(params), { headDim: 4, clip: 2 }),
  }),
  'Transformer-XL': transformerXL,
  'Transformer-XL, memory': transformerXL,
  'dot product': () => ({ ...ofFormulas, score: dotProductScore }),
  general: () => ({ ...ofFormulas, score: generalScore }),
  additive: () => ({ ...ofFormulas, score: additiveScore }),
  'plain additive, relu': () => ({ ...ofFormulas, score: plainAdditiveScore('relu') }),
};

function bloom(heads: number): MultiHeadAttentionOptions {
  return {
    ...ofPyTorch,
    dim: 2 * heads,
    heads,
    mask: masks.causal,
    projection: FusedProjection,
    position: new AlibiPosition({ heads }),
  };
}

function t5(params: ParamStore, bidirectional: boolean): MultiHeadAttentionOptions {
  const buckets = { heads: 3, buckets: 8, maxDistance: 6, bidirectional };
  return {
    ...ofPyTorch,
    dim: 10,
    heads: 3,
    headDim: 4,
    bias: false,
    score: dotProductScore,
    mask: bidirectional ? undefined : masks.causal,
    position: new T5Position(atPosition(params), buckets),
  };
}

function transformerXL(params: ParamStore): MultiHeadAttentionOptions {
  const sizes = { dim: 12, heads: 3, headDim: 4 };
  return { ...ofFormulas, position: new TransformerXLPosition(atPosition(params), sizes) };
}

const encodedMask = [1, 1, 0, 0, 1, 1, 1, 0];

/** Programs are compiled for each; their other form runs on the GPU too. */
const notOnWebGpu = ['T5Attention, causal', 'plain additive, relu'];

describeBackends('attention layers', (backend) => {
  const few = (name: string) => backend !== 'webgpu' || !notOnWebGpu.includes(name);
  for (const c of cases(golden.cases, ({ name }) => few(name))) {
    test(`${c.name} gives its output and every gradient`, async () => {
      const given = c.params as unknown as Record<string, Shaped>;
      const inputs = c.inputs as unknown as Record<string, Shaped>;
      const gradients = c.gradients as unknown as Record<string, Shaped>;
      const params = new ParamStore({
        source: {
          read(path, shape) {
            expect(shape, path).toEqual(given[path]?.shape);
            return Float32Array.from(given[path]!.data);
          },
        },
      });
      const made = options[c.name]!(params);
      const cross =
        inputs.encoded && new CrossAttention(params, { ...made, projection: undefined });
      const layer = cross ? undefined : new MultiHeadAttention(params, made);
      const named = params.named();
      expect(Object.keys(named).sort()).toEqual(Object.keys(given).sort());
      const memory = new SegmentMemory(4);
      const run = (x: tf.Tensor, encoded?: tf.Tensor) => {
        if (cross) {
          const mask = tf.tensor2d(encodedMask, [2, 4], 'int32');
          return cross.forward(x, encoded!, undefined, mask);
        }
        if (!inputs.memory) return layer!.forward(x);
        memory.write('', tensorOf(inputs.memory));
        return layer!.forward(x, { memory });
      };
      const args = [inputs.x!, ...(cross ? [inputs.encoded!] : [])].map(tensorOf);
      await expectClose(run(args[0]!, args[1]), c.y);
      const variables = Object.values(named);
      const dy = tf.tensor(c.dy, [...c.inputs.x.shape]);
      const found = tf.grads((x, encoded) => run(x!, encoded))(args, dy);
      await expectClose(found[0]!, gradients.x!.data);
      if (cross) await expectClose(found[1]!, gradients.encoded!.data);
      const { grads } = tf.variableGrads(() => run(args[0]!, args[1]).mul(dy).sum(), variables);
      for (const [path, variable] of Object.entries(named)) {
        const { data } = gradients[path]!;
        // Softmax does not feel the bias of the keys: its gradient is what rounding leaves.
        await expectClose(grads[variable.name]!, data, { floor: 1e-5 });
      }
      memory.dispose();
      params.dispose();
    });
  }
});
