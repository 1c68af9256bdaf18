import { currentDevice, type LanguageModel } from '@headwise/core';
import { KeyValueCache, StepLoop, type StepPlan, stepPlanOf } from '@headwise/decoding';
import { generate } from '@headwise/generation';
import { checkedSampling } from '@headwise/kernels/internal';
import { createModel, type DecoderSettings, type WeightDtype } from '@headwise/models';
import type { Contestants, Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { endless } from './endless.js';
import { llamaSmall } from './models.js';
import { type PastTokens, stockStep } from './stock-step.js';

/** How far scores may be from those of float32, as a part of their spread. */
const tolerance: Readonly<Record<WeightDtype, number>> = {
  f32: 1e-5,
  f16: 5e-3,
  int8: 0.1,
  int4: 0.5,
};

/** Tokens in the cache, the one that is processed included. */
const length = 256;

/** One token by the public `generate`, by the bare recorded step, and by operations of TensorFlow.js. */
async function contestants(config: DecoderSettings, dtype: WeightDtype): Promise<Contestants> {
  const model = createModel(config, { dtype, seed: 1 });
  const full = dtype === 'f32' ? model : createModel(config, { seed: 1 });
  const { network } = model;
  const plan = planOf(network);
  const fullPlan = await withBoundTable(planOf(full.network));
  const prompt = Array.from({ length }, (_, i) => (i * 7919 + 464) % network.vocabSize);
  const token = { id: prompt.at(-1)!, position: length - 1 };

  const cache = new KeyValueCache();
  tf.tidy(() => {
    network.head!.hidden(tf.tensor2d([prompt.slice(0, -1)], [1, length - 1], 'int32'), { cache });
  });
  const loop = new StepLoop(plan, cache, {
    sampling: checkedSampling({}),
    maxLength: length + 64,
  });
  const step = () => {
    const logits = loop.logits([token]);
    cache.trim(length - 1);
    return logits;
  };
  const past = pastOf(plan, cache);
  const stock = () => tf.tidy(() => stockStep(fullPlan, past, token));
  const expected = stock();
  const difference = await relativeDifference(step(), expected);
  expected.dispose();
  if (!(difference < tolerance[dtype])) {
    throw new Error(`generate: the step differs from stock by ${difference} of the scores' spread`);
  }
  console.log(
    `  ${config.model_type} ${dtype}: ${loop.dispatches} dispatches a token, ${await scriptTime(step)} ms of JavaScript; differs by ${difference.toExponential(1)}`,
  );
  const tokens = endless(() => generate(network, prompt, { maxNewTokens: 64 }));
  return {
    ours: tokens.next,
    peers: {
      step: async () => {
        await step().data();
      },
      stock: async () => {
        const scores = stock();
        await scores.data();
        scores.dispose();
      },
    },
    dispose: () => {
      tokens.end();
      loop.dispose();
      cache.dispose();
      plan.dispose();
      fullPlan.dispose();
      tf.dispose(past as unknown as tf.TensorContainer);
      model.params.dispose();
      if (full !== model) full.params.dispose();
    },
  };
}

function planOf(network: LanguageModel): StepPlan {
  const plan = stepPlanOf(network);
  if (plan) return plan;
  throw new Error('generate: the model has no fused step');
}

/** A plan whose table of tokens is cut in two where the device cannot bind it whole; disposed with the plan. */
async function withBoundTable(plan: StepPlan): Promise<StepPlan> {
  const [table] = plan.embedding.table;
  const most = currentDevice()!.gpu.limits.maxStorageBufferBindingSize;
  if (!table || !('values' in table) || 4 * table.values.size <= most) return plan;
  const [rows, dim] = table.values.shape;
  const values = (await table.values.data()) as Float32Array;
  const part = (from: number, to: number) => ({
    values: tf.tensor2d(values.slice(from * dim, to * dim), [to - from, dim]),
    layout: 'out-in' as const,
  });
  const parts = [part(0, rows >> 1), part(rows >> 1, rows)];
  const tied = plan.head.weights[0] === table;
  return {
    ...plan,
    embedding: { ...plan.embedding, table: parts },
    head: tied ? { weights: parts } : plan.head,
    dispose: () => {
      plan.dispose();
      tf.dispose(parts.map((half) => half.values));
    },
  };
}

/** Copies of the keys and values of all tokens but the last. */
function pastOf(plan: StepPlan, cache: KeyValueCache): PastTokens[] {
  const seen = length - 1;
  return tf.tidy(() =>
    plan.layers.map(({ path, kvHeads, scoring: { headDim } }) => {
      const { k, v } = cache.rowsOf(path);
      const rows = (x: tf.Tensor) =>
        tf.keep(
          x
            .slice([0, 0, 0, 0], [1, kvHeads, seen, headDim])
            .reshape<tf.Tensor3D>([kvHeads, seen, headDim]),
        );
      return { k: rows(k), v: rows(v) };
    }),
  );
}

/** Median time in JavaScript to submit a token, ms; the GPU is waited for in between. */
async function scriptTime(step: () => tf.Tensor): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < 15; i++) {
    const start = performance.now();
    const logits = step();
    times.push(performance.now() - start);
    await logits.data();
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!.toFixed(2);
}

/** The root-mean-square difference of scores as a part of their standard deviation. */
async function relativeDifference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const ratio = tf.tidy(() => {
    const { variance } = tf.moments(b);
    return a.sub(b).square().mean().div(variance).sqrt();
  });
  const [value] = await ratio.data<'float32'>();
  ratio.dispose();
  return value!;
}

const models: Readonly<Record<string, DecoderSettings>> = {
  'gpt2-small': { model_type: 'gpt2' },
  'llama-small': llamaSmall,
};

export const workloads: Workload[] = Object.entries(models).flatMap(([name, config]) =>
  (['f32', 'f16', 'int8', 'int4'] as const).map((dtype) => ({
    name: `generate/${name}/${dtype}`,
    backends: ['webgpu'] as const,
    prepare: () => contestants(config, dtype),
  })),
);
