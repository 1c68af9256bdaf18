import { type LanguageModel, type Network, type Precision, Random } from '@headwise/core';
import { AdaptedModel, createModel, Lora } from '@headwise/models';
import { cases, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import golden from '../goldens/steps/mixed-precision.json' with { type: 'json' };
import { accumulateGradients } from '../gradients.js';
import {
  AdamW,
  causalLanguageModel,
  constantRate,
  ignoredTarget,
  LossScale,
  type TokenBatch,
  type TrainStep,
  train,
} from '../index.js';
import { defaultObjective } from '../planned-objective.js';
import { modelOf, type Tensors } from './steps.cases.js';

/** Inputs and the tokens after them; the last has none. */
function nextTokens(given: Tensors): TokenBatch {
  const shape = given.input_ids!.shape as [number, number];
  const ids = Int32Array.from(given.input_ids!.data);
  const targets = ids.map((_, i) => ((i + 1) % shape[1] ? ids[i + 1]! : ignoredTarget));
  return { inputs: ids, targets, shape };
}

const relative = (actual: readonly number[], expected: readonly number[]): number[] =>
  actual.map((value, i) => value / expected[i]! - 1);

describe('twenty steps in mixed precision', () => {
  for (const { batches, scale, skipped, scales, full, ...steps } of golden.cases) {
    test(`from a loss scale of ${scale.initial} make the losses, the scales and the weights of PyTorch`, async () => {
      const { network, params } = await modelOf(steps);
      const named = params.named();
      const optimizer = new AdamW(named, { weightDecay: 0.1 });
      const made: TrainStep[] = [];
      for await (const step of train({
        ...{ params: named, optimizer, precision: 'mixed' },
        // PyTorch's scale is the default.
        lossScale: scale.initial === 65_536 ? undefined : new LossScale(scale),
        objective: causalLanguageModel(network as LanguageModel),
        schedule: constantRate(golden.rate),
        batches: { at: (n) => nextTokens(batches[n % 2] as unknown as Tensors) },
        steps: steps.losses.length,
      })) {
        made.push(step);
      }
      expect(made.flatMap(({ step, skipped }) => (skipped ? [step] : []))).toEqual(skipped);
      expect(made.flatMap((step) => ('gradientNorm' in step ? [] : [step.step]))).toEqual(skipped);
      expect(made.map(({ lossScale }) => lossScale)).toEqual(scales);
      const losses = made.map(({ loss }) => loss);
      const errors = relative(losses, steps.losses);
      // The same operands are rounded: float32 agrees to its own precision, until it puts one on the other side of a middle.
      for (const error of errors.slice(0, 4)) expect(Math.abs(error)).toBeLessThan(1e-6);
      // Then they differ by single roundings, each of a unit of 2⁻¹¹, which AdamW makes steps of: 2⁻¹⁵ of the loss at most.
      expect(Math.max(...errors.map(Math.abs))).toBeLessThan(2 ** -15);
      const fromFull = relative(losses, full);
      expect(Math.hypot(...errors)).toBeLessThan(Math.hypot(...fromFull) / 3);
      expect(Math.abs(fromFull[0]!)).toBeGreaterThan(1e-5);
      const expected = await modelOf(steps, 'after');
      for (const [path, variable] of Object.entries(expected.params.named())) {
        // The bias of keys has no gradient but roundings.
        if (path.endsWith('qkv.bias')) continue;
        await expectClose(named[path]!, variable, { ratio: 1e-3 });
      }
      optimizer.dispose();
      expected.params.dispose();
      params.dispose();
    });
  }
});

test('an input that no half holds ends training with what to do', async () => {
  const { network, params } = createModel(configurations.gpt2, { seed: 1 });
  const named = params.named();
  const gain = named['blocks.1.norm1.weight']!;
  tf.tidy(() => gain.assign(gain.mul(1e6)));
  const optimizer = new AdamW(named);
  const { objective, batch } = defaultObjective(network, sizesOfBatch, configurations.gpt2);
  const run = (precision: Precision) =>
    train({
      ...{ objective, params: named, optimizer, precision, schedule: constantRate(0) },
      ...{ batches: { at: () => batch }, steps: 1 },
    });
  for await (const { loss } of run('float32')) expect(loss).toBeGreaterThan(0);
  await expect(run('mixed').next()).rejects.toThrow(
    'lower the learning rate, or train in float32: in mixed precision inputs of linear maps from 65,520 on are infinite',
  );
  optimizer.dispose();
  params.dispose();
});

const sizes = { vocab_size: 31, hidden_size: 12, num_hidden_layers: 2, num_attention_heads: 3 };
const configurations = {
  gpt2: { model_type: 'gpt2', vocab_size: 31, n_positions: 16, n_embd: 12, n_layer: 2, n_head: 3 },
  llama: { model_type: 'llama', ...sizes, intermediate_size: 20 },
  t5: {
    model_type: 't5',
    vocab_size: 31,
    d_model: 12,
    d_kv: 4,
    d_ff: 20,
    num_layers: 2,
    num_heads: 3,
  },
} as const;

/** A network with what it is trained by. */
interface Trained {
  network: Network;
  configuration: unknown;
  params: Record<string, tf.Variable>;
}

const sizesOfBatch = { rows: 2, tokens: 7, sourceTokens: 5 };

/** Loss and gradients of a network in training. */
function made({ network, configuration, params }: Trained, options: object) {
  const { objective, batch } = defaultObjective(network, sizesOfBatch, configuration);
  const ctx = { training: true, random: new Random(7), ...options };
  return accumulateGradients('test', params, objective, [batch], ctx);
}

/** Blocks that are computed again have the same loss and gradients; those of float32 are others, near them. */
async function expectSame(trained: Trained, ratio = 1e-6): Promise<void> {
  tf.dispose(made(trained, {}) as never);
  const before = tf.memory().numTensors;
  const plain = made(trained, {});
  const mixed = made(trained, { precision: 'mixed' });
  const again = made(trained, { precision: 'mixed', checkpoint: true });
  expect(await again.losses[0]!.data()).toEqual(await mixed.losses[0]!.data());
  let differ = 0;
  for (const [path, gradient] of Object.entries(mixed.gradients)) {
    await expectClose(again.gradients[path]!, gradient, { ratio, floor: 1e-9 });
    await expectClose(gradient, plain.gradients[path]!, { ratio: 2e-2, floor: 1e-5 });
    const [a, b] = [await gradient.data(), await plain.gradients[path]!.data()];
    if (a.some((value, i) => value !== b[i])) differ++;
  }
  expect(differ).toBe(Object.keys(trained.params).length);
  for (const { losses, gradients } of [plain, mixed, again]) tf.dispose([losses, gradients]);
  expect(tf.memory().numTensors).toBe(before);
}

describe('a step in mixed precision', () => {
  for (const [name, configuration] of cases(Object.entries(configurations), ([n]) => n !== 't5')) {
    test(`of ${name} has the gradients of float16 operands, also where blocks are computed again`, async () => {
      const { network, params } = createModel(configuration as unknown, { seed: 1 });
      // What all blocks of T5 read has a sum of gradients, which in another order may round to another half, 2⁻¹¹ away.
      const ratio = name === 't5' ? 2 ** -11 : undefined;
      await expectSame({ network, configuration, params: params.named() }, ratio);
      params.dispose();
    });
  }

  for (const dtype of ['f32', 'int8'] as const) {
    test(`of an adapter over ${dtype} has them too`, async () => {
      const { network, params } = createModel(configurations.llama, { seed: 1, dtype });
      const lora = new Lora(params, { rank: 2, targets: /blocks/, dropout: 0.3 });
      for (const [path, variable] of Object.entries(lora.params.named())) {
        // The first B is 0, and A has no gradient then.
        if (path.endsWith('loraB'))
          tf.tidy(() => variable.assign(tf.randomNormal(variable.shape, 0, 0.1, 'float32', 3)));
      }
      const adapted = new AdaptedModel(network, lora);
      await expectSame({
        ...{ network: adapted, configuration: configurations.llama, params: lora.params.named() },
      });
      lora.params.dispose();
      params.dispose();
    });
  }
});
