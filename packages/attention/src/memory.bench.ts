import { ParamStore, Random } from '@headwise/core';
import { Dropout, RMSNorm } from '@headwise/layers';
import {
  AlibiPosition,
  RotaryPosition,
  ShawPosition,
  T5Position,
  TransformerXLPosition,
} from '@headwise/positions';
import { gaussian, type Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import {
  additiveScore,
  generalScore,
  MultiHeadAttention,
  type MultiHeadAttentionOptions,
  masks,
  plainAdditiveScore,
  softCapMod,
} from './index.js';

const [dim, heads, headDim] = [512, 8, 64];

type Variant = (params: ParamStore, length: number) => Partial<MultiHeadAttentionOptions>;

/** One of each part, beside the causal layer. */
const variants: Record<string, Variant> = {
  causal: () => ({}),
  plain: () => ({ mask: undefined }),
  window: () => ({ mask: masks.and(masks.causal, masks.slidingWindow(256)) }),
  prefix: () => ({ mask: masks.or(masks.causal, masks.prefix(100)) }),
  padding: (_params, length) => ({
    mask: masks.and(masks.causal, masks.padding(tf.tensor1d([length - 100], 'int32'))),
  }),
  documents: (_params, length) => ({
    mask: masks.and(
      masks.causal,
      masks.documents(
        tf.tidy(() =>
          tf.range(0, length, 1, 'int32').floorDiv(tf.scalar(200, 'int32')).reshape([1, length]),
        ),
      ),
    ),
  }),
  'grouped-query': () => ({ kvHeads: 2 }),
  'multi-query': () => ({ kvHeads: 1 }),
  general: () => ({ score: generalScore }),
  additive: () => ({ score: additiveScore }),
  'plain-additive': () => ({ score: plainAdditiveScore('relu') }),
  rotary: () => ({ position: new RotaryPosition({ headDim }) }),
  alibi: () => ({ position: new AlibiPosition({ heads }) }),
  t5: (params) => ({ position: new T5Position(params, { heads }) }),
  'shaw-keys': (params) => ({
    position: new ShawPosition(params, { headDim, clip: 16, values: false }),
  }),
  shaw: (params) => ({ position: new ShawPosition(params, { headDim, clip: 16 }) }),
  'transformer-xl': (params) => ({
    position: new TransformerXLPosition(params, { dim, heads, headDim }),
  }),
  'soft-cap': () => ({ mods: [softCapMod(30)] }),
  sinks: () => ({ sinks: true }),
  dropout: () => ({ dropout: new Dropout({ rate: 0.1 }) }),
  'qk-norm': () => ({ qkNorm: (params, dim) => new RMSNorm(params, { dim }) }),
};

/** Causal attention of many heads as one writes it with TensorFlow.js. */
function stock(x: tf.Tensor, weights: readonly tf.Variable[], hidden: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const length = x.shape[1]!;
    const rows = x.reshape<tf.Tensor2D>([length, dim]);
    const [q, k, v] = weights.slice(0, 3).map((w) =>
      tf
        .matMul(rows, w as tf.Tensor2D)
        .reshape([length, heads, headDim])
        .transpose([1, 0, 2]),
    );
    const scores = tf.matMul(q!.mul(1 / Math.sqrt(headDim)), k!, false, true).add(hidden);
    const y = tf.matMul(tf.softmax(scores), v!).transpose([1, 0, 2]);
    return tf
      .matMul(y.reshape<tf.Tensor2D>([length, dim]), weights[3] as tf.Tensor2D)
      .reshape(x.shape);
  });
}

/** Beyond it, software adapters cannot bind the scores of stock operations. */
const longestStock = 2048;

const step = (f: () => tf.Tensor, variables: tf.Variable[]) => () => {
  const { value, grads } = tf.variableGrads(() => f().square().sum(), variables);
  return [value, ...Object.values(grads)];
};

function contestants(name: string, length: number) {
  const params = new ParamStore({ seed: 1 });
  const layer = new MultiHeadAttention(params.at('attn'), {
    dim,
    heads,
    bias: false,
    mask: masks.causal,
    ...variants[name]!(params.at('part'), length),
  });
  const x = gaussian([1, length, dim], 1);
  const ctx = () => ({ training: true, random: new Random(1) });
  const peer = name === 'causal' && length <= longestStock ? stockStep(x) : undefined;
  return {
    ours: step(() => layer.forward(x, ctx()), Object.values(params.named())),
    peers: peer ? { stock: peer.run } : {},
    dispose: () => {
      params.dispose();
      x.dispose();
      peer?.dispose();
    },
  };
}

function stockStep(x: tf.Tensor) {
  const length = x.shape[1]!;
  const weights = Array.from({ length: 4 }, (_, i) =>
    tf.tidy(() => tf.variable(gaussian([dim, dim], i).mul(0.02))),
  );
  const hidden = tf.tidy(() =>
    tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0)).mul(-1e9),
  );
  return {
    run: step(() => stock(x, weights, hidden), weights),
    dispose: () => tf.dispose([hidden, ...weights]),
  };
}

export const workloads: Workload[] = Object.keys(variants).flatMap((name) =>
  [512, 1024, 2048, 4096].map((length) => ({
    name: `attention/memory/${name}/T${length}`,
    backends: ['webgpu'] as const,
    prepare: () => contestants(name, length),
  })),
);
