import { precisions } from '@headwise/core';
import { z } from 'zod';
import { maskings } from './masking.js';
import { packings } from './packed-documents.js';
import { runObjectives } from './run-objectives.js';
import { scheduledSamplingSchema } from './scheduled-sampling.js';
import { taskNames } from './tasks.js';

const size = z.number().int().min(1);
const positive = z.number().positive();
const seed = z.number().int().min(0).default(0);

const parts = z.strictObject({
  /** The name of the family that the parts are by default, as older files have it. */
  family: z.literal('gpt2').optional(),
  dim: size,
  heads: size,
  layers: size,
  context: size,
  kvHeads: size.optional(),
  window: size.optional(),
  hidden: size.optional(),
  dropout: z.number().min(0).lt(1).default(0),
  score: z
    .enum(['scaled-dot-product', 'dot-product', 'general', 'additive'])
    .default('scaled-dot-product'),
  position: z
    .enum(['learned', 'sinusoidal', 'rotary', 'alibi', 't5', 'shaw', 'none'])
    .default('learned'),
  block: z.enum(['pre-norm', 'post-norm', 'parallel']).default('pre-norm'),
  norm: z.enum(['layer', 'rms']).default('layer'),
  feedForward: z.enum(['gelu_new', 'relu', 'silu', 'relu2', 'gated-silu']).default('gelu_new'),
  qkNorm: z.boolean().default(false),
  embeddingNorm: z.boolean().default(false),
  tied: z.boolean().default(true),
  init: z.enum(['by-depth', 'zero']).default('by-depth'),
});

const configured = z.strictObject({
  config: z.looseObject({ model_type: z.string() }),
  context: size,
});

const text = z.strictObject({
  corpus: z.string().min(1),
  packing: z.enum(packings).optional(),
  separator: z.string().min(1).optional(),
  masking: z.enum(maskings).optional(),
  validation: z.number().gt(0).lt(1).default(0.1),
  validationTokens: z.number().int().min(2).optional(),
});

const shards = z.strictObject({
  shards: z.string().min(1).optional(),
  mixture: z.string().min(1).optional(),
  validation: z.number().gt(0).lt(1).default(0.1),
  validationTokens: z
    .number()
    .int()
    .min(2)
    .default(2 ** 16),
});

const task = z.strictObject({
  task: z.enum(taskNames),
  length: z.number().int().min(2).optional(),
});

const tokenizer = z.strictObject({
  kind: z.enum(['byte-bpe', 'character']),
  vocabSize: z.number().int().min(256).default(1024),
});

const training = z.strictObject({
  seed,
  steps: size,
  batchSize: size.default(8),
  learningRate: positive.default(0.001),
  minLearningRate: z.number().min(0).default(0),
  warmupSteps: z.number().int().min(0).default(0),
  decaySteps: z.number().int().min(1).optional(),
  weightDecay: z.number().min(0).default(0.01),
  optimizer: z.enum(['adamw', 'muon']).default('adamw'),
  adamwRate: positive.optional(),
  beta2: z.number().gt(0).lt(1).default(0.99),
  maxNorm: positive.default(1),
  scheduledSampling: scheduledSamplingSchema.optional(),
  emaDecay: z.number().gt(0).lt(1).optional(),
  precision: z.enum(precisions).default('float32'),
  checkpointEvery: size.default(100),
  validateEvery: size.optional(),
});

const samples = z.strictObject({
  prompt: z.string().min(1).optional(),
  temperatures: z.array(z.number().min(0)).default([0.5, 0.8, 1]),
  maxNewTokens: size.default(80),
  seed,
  every: size.optional(),
});

const taskSamples = z.strictObject({ every: size.optional() });

/** The form of a run's file, by what it says of its model and its data. */
export function runSchema({
  isConfigured,
  source,
}: {
  isConfigured: boolean;
  source: 'text' | 'shards' | 'task';
}): z.ZodType {
  const model = isConfigured ? configured : parts;
  const isTask = source === 'task';
  return z.strictObject({
    objective: z.enum(runObjectives).optional(),
    model: isTask ? model.extend({ context: size.optional() }) : model,
    ...(source === 'text' ? { tokenizer } : {}),
    data: { text, shards, task }[source],
    training,
    samples: (isTask ? taskSamples : samples).optional(),
  });
}
