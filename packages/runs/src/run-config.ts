import { InputError } from '@headwise/core';
import { checkDivides, parseWith } from '@headwise/models/internal';
import { z } from 'zod';
import { type RunObjective, runObjectives } from './objective-tokens.js';
import { type ModelParts, partsFamily } from './parts.js';
import { problemLength, type TaskName, taskNames } from './tasks.js';

/** A model by its configuration, of any family that predicts the next token. */
export interface ConfiguredModel {
  /** A `config.json` as `createModel` takes it, without the size of the vocabulary, which is the tokenizer's. */
  config: Record<string, unknown>;
  /** Tokens in a window. */
  context: number;
}

/** A text to learn from. */
export interface TextData {
  /** A text file, a folder of `.txt` files, or `npm:PACKAGE` for a package that exports texts. */
  corpus: string;
  /** The share of the text, at its end, that is kept for validation. */
  validation: number;
  /** The most tokens of that share that are measured on; absent: all. */
  validationTokens?: number | undefined;
}

/** Tokenised shards to learn from; their tokenizer is the run's. */
export interface ShardData {
  /** A folder of shards, as `headwise data tokenize` writes; absent with `mixture`. */
  shards?: string | undefined;
  /** A mixture file, as `headwise data mix` writes; absent with `shards`. */
  mixture?: string | undefined;
  /** The share of each source's tokens, at its end, that is kept for validation. */
  validation: number;
  /** The most tokens of that share that are measured on. */
  validationTokens: number;
}

/** Problems with known answers, made as they are needed. */
export interface TaskData {
  task: TaskName;
  /** Symbols of a problem; absent for `addition`, whose problems have one length. */
  length?: number | undefined;
}

/** The tokenizer that is learned from the text. */
export interface TokenizerPart {
  kind: 'byte-bpe' | 'character';
  /** Of `byte-bpe`: 256 bytes and what is learned. */
  vocabSize: number;
}

/** The schedule of a run. */
export interface TrainingPart {
  /** Of parameters, batches and dropout. */
  seed: number;
  steps: number;
  batchSize: number;
  learningRate: number;
  minLearningRate: number;
  warmupSteps: number;
  /** Steps at the end in which the rate comes down in a straight line; absent: half a cosine after the warm-up. */
  decaySteps?: number | undefined;
  weightDecay: number;
  /** Muon updates the matrices of linear maps, and leaves the rest to AdamW. */
  optimizer: 'adamw' | 'muon';
  /** The factor of the learning rate of what Muon leaves to AdamW; absent: 1. */
  adamwRate?: number | undefined;
  /** Of AdamW. */
  beta2: number;
  /** Gradients are scaled down to this norm. */
  maxNorm: number;
  /** The part of an average of the weights that each step keeps; the average is the result then. Absent: none is kept. */
  emaDecay?: number | undefined;
  checkpointEvery: number;
  /** Steps between two validations; absent: before the first step and after the last. */
  validateEvery?: number | undefined;
}

/** What the model writes. Of a task, whose problems are the prompts and are solved greedily, `every` alone is set. */
export interface SamplesPart {
  /** Absent: the first words of the validation part. */
  prompt?: string | undefined;
  temperatures?: number[] | undefined;
  maxNewTokens?: number | undefined;
  seed?: number | undefined;
  /** Steps between two samples; absent: after the last step. */
  every?: number | undefined;
}

/** A training run: its model, tokenizer, data and schedule. */
export interface RunConfig {
  /**
   * What the model is trained for; absent: `causal-lm`. `masked-lm` is for an encoder and `span-corruption` for an encoder-decoder, by
   * `model.config`, on a text.
   */
  objective?: RunObjective | undefined;
  model: ModelParts | ConfiguredModel;
  /** Absent for a task, whose alphabet is its vocabulary, and for shards, which have theirs. */
  tokenizer?: TokenizerPart | undefined;
  data: TextData | ShardData | TaskData;
  training: TrainingPart;
  samples?: SamplesPart | undefined;
}

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
  emaDecay: z.number().gt(0).lt(1).optional(),
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

/** Symbols of a task's problem where no number is given. */
const defaultLength = 8;

/**
 * Reads a run's file, with defaults for what is absent.
 *
 * @param name the file's, for errors
 * @throws InputError with a line a problem: the file, the key, what it holds, what was expected
 * @example
 * parseRunConfig({
 *   model: { dim: 64, heads: 4, layers: 2, context: 64 },
 *   tokenizer: { kind: 'character' },
 *   data: { corpus: 'book.txt' },
 *   training: { steps: 100 },
 * });
 */
export function parseRunConfig(json: unknown, name = 'run.json'): RunConfig {
  const has = (section: string, key: string) => {
    const value = (json as Record<string, unknown> | null)?.[section];
    return typeof value === 'object' && value !== null && key in value;
  };
  if (has('data', 'source')) {
    throw new InputError(
      `${name}: 'data.source' is of the lab's own settings; import the file in the lab, and export the run's file there`,
    );
  }
  const ofTask = has('data', 'task');
  const ofShards = has('data', 'shards') || has('data', 'mixture');
  const model = has('model', 'config') ? configured : parts;
  const schema = z.strictObject({
    objective: z.enum(runObjectives).optional(),
    model: ofTask ? model.extend({ context: size.optional() }) : model,
    ...(ofTask || ofShards ? {} : { tokenizer }),
    data: ofTask ? task : ofShards ? shards : text,
    training,
    samples: (ofTask ? taskSamples : samples).optional(),
  });
  const config = withContext(parseWith(schema, json, name) as RunConfig, name);
  const { learningRate, minLearningRate } = config.training;
  if (minLearningRate > learningRate) {
    throw new InputError(
      `${name}: 'training.minLearningRate' ${minLearningRate} is more than 'training.learningRate' ${learningRate}`,
    );
  }
  checkSchedule(config.training, name);
  checkShards(config.data, name);
  checkObjective(config, name);
  const checked = isConfigured(config.model)
    ? checkConfigured(config.model, name)
    : checkParts(config.model, name);
  return { ...config, model: checked };
}

/** Whether a run learns from tokenised shards. */
export function isSharded(data: RunConfig['data']): data is ShardData {
  return 'shards' in data || 'mixture' in data;
}

function checkShards(data: RunConfig['data'], name: string): void {
  if (!isSharded(data) || data.shards === undefined || data.mixture === undefined) return;
  throw new InputError(
    `${name}: 'data.shards' is ${data.shards} and 'data.mixture' ${data.mixture}; leave one out`,
  );
}

function checkObjective(
  { objective = 'causal-lm', model, data, samples }: RunConfig,
  name: string,
): void {
  if (objective === 'causal-lm') return;
  const problems = [
    ...('task' in data
      ? ["'data.task' has problems for the next token; expected 'data.corpus'"]
      : []),
    ...(isSharded(data)
      ? ["'data.shards' have a tokenizer without its special tokens; expected 'data.corpus'"]
      : []),
    ...(isConfigured(model) ? [] : ["'model' has the parts of a decoder; expected 'model.config'"]),
    ...(samples ? ["'samples' are written by decoders; leave it out"] : []),
  ];
  if (problems.length === 0) return;
  throw new InputError(
    problems.map((problem) => `${name}: 'objective' is '${objective}': ${problem}`).join('\n'),
  );
}

/**
 * Refuses phases of the learning rate that are longer than the run, and a rate that has nothing to act on.
 *
 * @param name the file's, for errors
 * @throws InputError with the keys and what they hold
 */
export function checkSchedule(
  training: Pick<TrainingPart, 'steps' | 'warmupSteps' | 'decaySteps' | 'optimizer' | 'adamwRate'>,
  name: string,
): void {
  const { steps, warmupSteps, decaySteps = 0, optimizer, adamwRate } = training;
  if (decaySteps > 0 && warmupSteps + decaySteps > steps) {
    throw new InputError(
      `${name}: 'training.warmupSteps' ${warmupSteps} and 'training.decaySteps' ${decaySteps} are more than 'training.steps' ${steps}`,
    );
  }
  if (adamwRate !== undefined && optimizer !== 'muon') {
    throw new InputError(
      `${name}: 'training.adamwRate' is ${adamwRate} and 'training.optimizer' "${optimizer}"; it is the factor of what "muon" leaves to AdamW`,
    );
  }
}

/** Whether a model is given by its whole configuration. */
export function isConfigured(model: RunConfig['model']): model is ConfiguredModel {
  return 'config' in model;
}

function checkConfigured(model: ConfiguredModel, name: string): ConfiguredModel {
  const key = model.config.model_type === 'headwise' ? 'vocabSize' : 'vocab_size';
  if (!(key in model.config)) return model;
  throw new InputError(
    `${name}: 'model.config.${key}' is ${JSON.stringify(model.config[key])}; leave it out: the tokenizer's vocabulary decides it`,
  );
}

function checkParts(given: ModelParts & { family?: 'gpt2' | undefined }, name: string): ModelParts {
  const { family, ...model } = given;
  const { dim, heads, kvHeads = heads, position } = model;
  checkDivides(name, 'model.dim', dim, 'model.heads', heads);
  checkDivides(name, 'model.heads', heads, 'model.kvHeads', kvHeads);
  const waves = position === 'sinusoidal' ? dim : dim / heads;
  if ((position === 'sinusoidal' || position === 'rotary') && waves % 2 !== 0) {
    const what = position === 'rotary' ? 'the width of a head' : "'model.dim'";
    throw new InputError(`${name}: ${position} positions need an even width; ${what} is ${waves}`);
  }
  if (family !== undefined && partsFamily(model) !== family) {
    throw new InputError(
      `${name}: 'model.family' is '${family}', which does not have the other parts given; leave it out`,
    );
  }
  return model;
}

/** A configuration with what follows from its task: the length of a problem, and the window that holds one. */
function withContext(config: RunConfig, name: string): RunConfig {
  const { data, model } = config;
  if (!('task' in data)) return config;
  const { task, length } = data;
  if (task === 'addition' && length !== undefined) {
    throw new InputError(
      `${name}: 'data.length' is ${length}; problems of 'addition' have one length: leave it out`,
    );
  }
  const asked = task === 'addition' ? {} : { length: length ?? defaultLength };
  // The last token is only predicted.
  const context = problemLength(task, asked.length ?? 0) - 1;
  if (model.context !== undefined && model.context !== context) {
    throw new InputError(
      `${name}: 'model.context' is ${model.context}; these problems of '${task}' need ${context}: leave it out`,
    );
  }
  return { ...config, data: { task, ...asked }, model: { ...model, context } };
}
