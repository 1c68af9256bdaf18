import { InputError, precisions } from '@headwise/core';
import { checkDivides, parseWith } from '@headwise/models/internal';
import { checkSchedule, taskNames } from '@headwise/runs';
import { z } from 'zod';

// The page's Content-Security-Policy forbids code made at run time, which zod would try first.
z.config({ jitless: true });

const whole = (least: number, most: number) => z.number().int().min(least).max(most);
const real = (least: number, most: number) => z.number().min(least).max(most);

/** Where the text of a run comes from: the bundled novel, a file of the visitor's, or a made-up task. */
export const sources = ['moby-dick', 'file', ...taskNames] as const;
export type Source = (typeof sources)[number];

const dataSchema = z.strictObject({
  source: z.enum(sources).default('moby-dick').meta({
    title: 'Learn from',
    description: 'A book, a text file of yours, or a small task whose right answers are known.',
  }),
  /** The name under which the visitor's file is kept. */
  file: z.string().max(200).optional(),
  tokenizer: z.enum(['character', 'byte-bpe']).default('byte-bpe').meta({
    title: 'Tokens',
    description:
      'What the model reads: single characters, or pieces of words learned from the text.',
  }),
  vocabSize: whole(257, 8192).default(512).meta({
    title: 'Vocabulary',
    description: 'How many different pieces to learn: 256 bytes and the most useful joins.',
  }),
  validation: real(0.01, 0.5).default(0.05).meta({
    title: 'Held back',
    description: 'The share of the text that is only used to measure, never to learn from.',
  }),
  length: whole(2, 64).default(8).meta({
    title: 'Task length',
    description: 'How many symbols a problem has; longer is harder.',
  }),
});

const modelSchema = z.strictObject({
  score: z
    .enum(['scaled-dot-product', 'dot-product', 'general', 'additive'])
    .default('scaled-dot-product')
    .meta({
      title: 'Score',
      description: 'How a token is compared with those that it may look at.',
    }),
  position: z
    .enum(['learned', 'sinusoidal', 'rotary', 'alibi', 't5', 'shaw', 'none'])
    .default('learned')
    .meta({
      title: 'Position',
      description: 'How a token knows its place, or its distance to others.',
    }),
  block: z.enum(['pre-norm', 'post-norm', 'parallel']).default('pre-norm').meta({
    title: 'Block',
    description: 'Where the norms stand, and whether the two parts work in turn or at once.',
  }),
  norm: z.enum(['layer', 'rms']).default('layer').meta({
    title: 'Norm',
    description: 'Keeps the numbers in range between the parts.',
  }),
  feedForward: z
    .enum(['gelu_new', 'relu', 'silu', 'relu2', 'gated-silu'])
    .default('gelu_new')
    .meta({
      title: 'Feed-forward',
      description: 'The curve of the part that works on each token alone.',
    }),
  dim: whole(8, 1024).default(64).meta({
    title: 'Width',
    description: 'Numbers per token inside the model; a multiple of the heads.',
  }),
  layers: whole(1, 24).default(2).meta({
    title: 'Layers',
    description: 'How many blocks of attention and feed-forward follow each other.',
  }),
  heads: whole(1, 64).default(4).meta({
    title: 'Heads',
    description: 'How many attention patterns each layer has.',
  }),
  kvHeads: whole(1, 64).optional().meta({
    title: 'Key heads',
    description: 'Heads of keys and values, which neighbouring heads share; empty means one each.',
  }),
  window: whole(1, 4096).optional().meta({
    title: 'Window',
    description: 'How many tokens back a token may look; empty means all.',
  }),
  hidden: whole(8, 8192).optional().meta({
    title: 'Hidden width',
    description: 'Inside the feed-forward part; empty means four times the width.',
  }),
  context: whole(8, 4096).default(64).meta({
    title: 'Context',
    description: 'How many tokens the model sees at once.',
  }),
  dropout: real(0, 0.9).default(0).meta({
    title: 'Dropout',
    description: 'The share of values set to zero while learning.',
  }),
  init: z.enum(['by-depth', 'zero']).default('by-depth').meta({
    title: 'First weights',
    description: 'How weights start: small, or so that every block at first adds nothing.',
  }),
  qkNorm: z.boolean().default(false).meta({ title: 'Norm of queries and keys' }),
  embeddingNorm: z.boolean().default(false).meta({ title: 'Norm of embeddings' }),
  tied: z.boolean().default(true).meta({ title: 'Output shares the embeddings' }),
});

const trainingSchema = z.strictObject({
  steps: whole(1, 1_000_000).default(400).meta({ title: 'Steps' }),
  batchSize: whole(1, 256).default(8).meta({
    title: 'Batch',
    description: 'Pieces of text per step.',
  }),
  learningRate: real(1e-6, 1).default(0.003).meta({
    title: 'Learning rate',
    description: 'The size of a step at its largest.',
  }),
  minLearningRate: real(0, 1).default(0.0003).meta({
    title: 'Last learning rate',
    description: 'Where it has come down to at the end.',
  }),
  warmupSteps: whole(0, 100_000).default(20).meta({
    title: 'Warm-up',
    description: 'Steps in which the learning rate rises.',
  }),
  decaySteps: whole(1, 1_000_000).optional().meta({
    title: 'Cool-down',
    description:
      'Steps at the end in which the learning rate falls in a line; empty means a cosine over all.',
  }),
  optimizer: z.enum(['adamw', 'muon']).default('adamw').meta({
    title: 'Optimizer',
    description: 'How gradients become steps; Muon makes those of matrices orthogonal.',
  }),
  adamwRate: real(1e-6, 1000).optional().meta({
    title: 'Rate of the rest',
    description: 'Times the learning rate, for what Muon leaves to AdamW; empty means 1.',
  }),
  precision: z.enum(precisions).default('float32').meta({
    title: 'Precision',
    description:
      'Mixed multiplies and keeps 16-bit numbers, which takes less memory; it needs WebGPU with shader-f16.',
  }),
  weightDecay: real(0, 1).default(0.1).meta({
    title: 'Weight decay',
    description: 'Pulls weights towards zero.',
  }),
  maxNorm: real(0.01, 1000).default(1).meta({
    title: 'Clip gradients at',
    description: 'Larger gradients are scaled down to this norm.',
  }),
  emaDecay: real(1e-6, 0.999999).optional().meta({
    title: 'EMA of weights',
    description:
      'The part of the average that each step keeps, such as 0.99; the average is measured and saved. Empty means none.',
  }),
  validateEvery: whole(1, 100_000).default(25).meta({
    title: 'Measure every',
    description: 'Steps between two measurements on what was held back.',
  }),
  sampleEvery: whole(1, 100_000).default(100).meta({
    title: 'Write every',
    description: 'Steps between two samples of what the model writes.',
  }),
  checkpointEvery: whole(1, 100_000).default(50).meta({
    title: 'Save every',
    description: 'Steps between two saved states, from which the run can go on.',
  }),
  seed: whole(0, 2 ** 31 - 1)
    .default(1)
    .meta({
      title: 'Seed',
      description: 'The same seed gives the same run.',
    }),
});

/** What the parts of a configuration look like; the form is made from it. */
export const groups = { data: dataSchema, model: modelSchema, training: trainingSchema } as const;
export type GroupName = keyof typeof groups;

const count = whole(1, 2 ** 31 - 1);

/** What a run's file says that the form does not show: it is kept, and written into the file again. */
const unshownSchema = z.strictObject({
  /** Where the file named the text `data.file`. */
  corpus: z.string().max(2000).optional(),
  /** Tokens of the validation part that are measured on; null: all. */
  validationTokens: count.nullable().optional(),
  beta2: z.number().gt(0).lt(1).optional(),
  /** What samples are drawn with; null: none are written. */
  samples: z
    .strictObject({
      prompt: z.string().max(2000).optional(),
      temperatures: z.array(z.number().min(0)).max(20),
      maxNewTokens: count,
      seed: z.number().int().min(0),
    })
    .nullable()
    .optional(),
});

/** What a run's file says beyond the form. */
export type Unshown = z.infer<typeof unshownSchema>;

const schema = z.strictObject({
  data: dataSchema.prefault({}),
  model: modelSchema.prefault({}),
  training: trainingSchema.prefault({}),
  unshown: unshownSchema.optional(),
});

/** A document that gives the last learning rate, whose default is never above the learning rate. */
const saysWhereItEnds = z.looseObject({
  training: z.looseObject({ minLearningRate: z.number() }),
});

/** What a run is: data, model and schedule, and what its file says beyond the form. */
export type RunConfig = z.infer<typeof schema>;

/**
 * Reads a configuration, with defaults for what is absent.
 *
 * @throws InputError with a line a problem: the key, what it holds, what was expected
 */
export function parseRunConfig(json: unknown, name = 'configuration'): RunConfig {
  const config = parseWith(schema, json, name);
  const { model, training } = config;
  checkDivides(name, 'model.dim', model.dim, 'model.heads', model.heads);
  checkDivides(name, 'model.heads', model.heads, 'model.kvHeads', model.kvHeads ?? model.heads);
  const { position } = model;
  const waves = position === 'sinusoidal' ? model.dim : model.dim / model.heads;
  if ((position === 'sinusoidal' || position === 'rotary') && waves % 2 !== 0) {
    const what = position === 'rotary' ? 'the width of a head' : "'model.dim'";
    throw new InputError(`${name}: ${position} positions need an even width; ${what} is ${waves}`);
  }
  const { learningRate, minLearningRate } = training;
  // What an optimizer does not use may stay in the form, as all that does not apply.
  checkSchedule({ ...training, adamwRate: undefined }, name);
  if (minLearningRate <= learningRate) return config;
  if (saysWhereItEnds.safeParse(json).success) {
    throw new InputError(
      `${name}: 'training.minLearningRate' ${minLearningRate} is more than 'training.learningRate' ${learningRate}`,
    );
  }
  return { ...config, training: { ...training, minLearningRate: learningRate } };
}

/** Whether a source is a task, whose problems are made as they are needed. */
export function isTask(source: Source): source is (typeof taskNames)[number] {
  return source !== 'moby-dick' && source !== 'file';
}

/** What is kept of a run's file beyond the form; undefined if it is not that. */
export function readUnshown(value: unknown): Unshown | undefined {
  return unshownSchema.safeParse(value).data;
}
