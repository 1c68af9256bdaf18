import { InputError, type Precision, precisions } from '@headwise/core';
import type { WeightDtype } from '@headwise/models';
import { parseWith } from '@headwise/models/internal';
import { z } from 'zod';
import { type Masking, maskings } from '../masking.js';
import { type Packing, packings } from '../packed-documents.js';
import { type ScheduledSampling, scheduledSamplingSchema } from '../scheduled-sampling.js';

/** What a model is fine-tuned to do, and which of its weights learn it. */
export const finetuneMethods = [
  'pretrain',
  'sft',
  'lora',
  'qlora',
  'dpo',
  'kto',
  'classify',
  'embed',
  'mlm',
  'seq2seq',
] as const;

/** What a model is fine-tuned to do, and which of its weights learn it. */
export type FinetuneMethod = (typeof finetuneMethods)[number];

/** The low-rank updates that are trained beside frozen weights. */
export interface AdapterPart {
  rank: number;
  /** Updates are scaled by `alpha / rank`; default `2 rank`. */
  alpha: number;
  /** Scales by `alpha / √rank` instead (rsLoRA). */
  rankStabilized: boolean;
  /** Learns the norm of what each output sums apart from its direction (DoRA). */
  dora: boolean;
  /** Of the input of each update, in training. */
  dropout: number;
  /** The last names of the linear maps that get one, such as `qProj`; absent: all maps of the blocks. */
  targets?: string[] | undefined;
  /** How the frozen weights are kept: of `lora` in f32 or f16, of `qlora` in int4 or int8, of `dpo` and `kto` in any. */
  weights: WeightDtype;
}

/** The examples of a run. */
export interface ExamplesPart {
  /** The most tokens of an example; longer ones are cut. */
  maxLength: number;
  /** The share of the examples that is only measured on; 0 for none. */
  validation: number;
  /** What is masked at once, of `mlm`. */
  masking?: Masking | undefined;
  /**
   * How examples share rows of `maxLength` tokens, each seen by itself, of `pretrain`, `sft`, `lora` and `qlora`; absent: an example a
   * row, padded to the longest of its batch.
   */
  packing?: Packing | undefined;
}

/** The schedule of a run. */
export interface FinetuneTraining {
  /** Of the adapter, the order of examples and dropout. */
  seed: number;
  /** How often every example is seen, where `steps` is absent. */
  epochs: number;
  steps?: number | undefined;
  /** Examples of a batch; of `batchTokens`, at most. */
  batchSize: number;
  /** Tokens of a batch, padding included: batches of examples of like length; absent: `batchSize` examples, however long. */
  batchTokens?: number | undefined;
  /** Batches of a step. */
  accumulate: number;
  /** After the warm-up; it falls to 0 along half a cosine. */
  learningRate: number;
  /** The share of the steps in which the rate rises. */
  warmup: number;
  weightDecay: number;
  /** Gradients are scaled down to this norm. */
  maxNorm: number;
  /** Of `seq2seq`: the share of the decoder's inputs that are its own predictions. Absent: teacher forcing. */
  scheduledSampling?: ScheduledSampling | undefined;
  /** The part of an average of what is trained that each step keeps; the average is the result then. Absent: none is kept. */
  emaDecay?: number | undefined;
  /** Computes each block again in the backward pass, which saves memory for a fifth more time. */
  checkpointActivations: boolean;
  /** What linear maps compute in: `mixed` rounds what they multiply and keep to float16, with a loss scale, on WebGPU with `shader-f16`. */
  precision: Precision;
  checkpointEvery: number;
}

/** A fine-tuning run: a method, its examples, its adapter and its schedule. */
export interface FinetuneConfig {
  method: FinetuneMethod;
  /** Absent where the model's own weights are trained. */
  adapter?: AdapterPart | undefined;
  data: ExamplesPart;
  training: FinetuneTraining;
}

/** What is set for a run; everything else has the method's default. */
export interface FinetuneSettings {
  method: FinetuneMethod;
  adapter?: { [K in keyof AdapterPart]?: AdapterPart[K] | undefined } | undefined;
  data?: { [K in keyof ExamplesPart]?: ExamplesPart[K] | undefined } | undefined;
  training?: { [K in keyof FinetuneTraining]?: FinetuneTraining[K] | undefined } | undefined;
}

/** What the methods differ in by default; without `weights` the model's own are trained. */
const defaults: Record<
  FinetuneMethod,
  {
    learningRate: number;
    weightDecay: number;
    weights?: readonly [WeightDtype, ...WeightDtype[]];
  }
> = {
  pretrain: { learningRate: 5e-5, weightDecay: 0.1 },
  sft: { learningRate: 2e-5, weightDecay: 0.01 },
  lora: { learningRate: 2e-4, weightDecay: 0, weights: ['f32', 'f16'] },
  qlora: { learningRate: 2e-4, weightDecay: 0, weights: ['int4', 'int8'] },
  dpo: { learningRate: 5e-6, weightDecay: 0, weights: ['f32', 'f16', 'int8', 'int4'] },
  kto: { learningRate: 5e-6, weightDecay: 0, weights: ['f32', 'f16', 'int8', 'int4'] },
  classify: { learningRate: 3e-5, weightDecay: 0.01 },
  embed: { learningRate: 2e-5, weightDecay: 0.01 },
  mlm: { learningRate: 5e-5, weightDecay: 0.01 },
  seq2seq: { learningRate: 1e-4, weightDecay: 0.01 },
};

/** The methods whose examples can share a row. */
const packable: readonly FinetuneMethod[] = ['pretrain', 'sft', 'lora', 'qlora'];

const size = z.number().int().min(1);
const share = z.number().min(0).lt(1);

const adapter = (weights: readonly [WeightDtype, ...WeightDtype[]]) =>
  z.strictObject({
    rank: size.default(16),
    alpha: z.number().positive().optional(),
    rankStabilized: z.boolean().default(false),
    dora: z.boolean().default(false),
    dropout: share.default(0),
    targets: z.array(z.string().min(1)).min(1).optional(),
    weights: z.enum(weights).default(weights[0]),
  });

const schema = (method: FinetuneMethod) => {
  const { weights, learningRate, weightDecay } = defaults[method];
  return z.strictObject({
    method: z.enum(finetuneMethods),
    ...(weights ? { adapter: adapter(weights).prefault({}) } : {}),
    data: z
      .strictObject({
        maxLength: z.number().int().min(2).default(1024),
        validation: share.default(0.1),
        ...(packable.includes(method) ? { packing: z.enum(packings).optional() } : {}),
        ...(method === 'mlm' ? { masking: z.enum(maskings).default('token') } : {}),
      })
      .prefault({}),
    training: z
      .strictObject({
        seed: z.number().int().min(0).default(0),
        epochs: z.number().positive().default(3),
        steps: size.optional(),
        batchSize: size.default(method === 'embed' ? 32 : 8),
        batchTokens: size.optional(),
        accumulate: size.default(1),
        learningRate: z.number().positive().default(learningRate),
        warmup: share.default(0.03),
        weightDecay: z.number().min(0).default(weightDecay),
        maxNorm: z.number().positive().default(1),
        ...(method === 'seq2seq' ? { scheduledSampling: scheduledSamplingSchema.optional() } : {}),
        emaDecay: z.number().gt(0).lt(1).optional(),
        checkpointActivations: z.boolean().default(false),
        precision: z.enum(precisions).default('float32'),
        checkpointEvery: size.default(100),
      })
      .prefault({}),
  });
};

/**
 * Reads what is set for a fine-tuning run, with the method's defaults for what is absent.
 *
 * @param name the source's, for errors
 * @throws InputError with a line a problem: the key, what it holds, what was expected
 * @example
 * parseFinetuneConfig({ method: 'lora', training: { epochs: 1 } });
 */
export function parseFinetuneConfig(json: unknown, name = 'finetune'): FinetuneConfig {
  const { method } = (json ?? {}) as { method?: unknown };
  if (!isMethod(method)) {
    throw new InputError(
      `${name}: 'method' is ${JSON.stringify(method)}; expected one of ${finetuneMethods.join(', ')}`,
    );
  }
  const config = parseWith(schema(method), json, name) as FinetuneConfig;
  if (method === 'embed') checkContrast(config.training, name);
  checkRows(config, name);
  if (!config.adapter) return config;
  const { alpha = 2 * config.adapter.rank } = config.adapter;
  return { ...config, adapter: { ...config.adapter, alpha } };
}

/** An anchor's positive is told from the others of its batch, so that what a batch holds counts. */
function checkContrast({ batchSize, batchTokens, accumulate }: FinetuneTraining, name: string) {
  const wrong = [
    ...(batchSize < 2 ? [`'training.batchSize' is ${batchSize}; expected at least 2`] : []),
    ...(accumulate > 1 ? [`'training.accumulate' is ${accumulate}; expected 1`] : []),
    ...(batchTokens === undefined
      ? []
      : [`'training.batchTokens' is ${batchTokens}; leave it out`]),
  ];
  if (wrong.length === 0) return;
  throw new InputError(
    `${name}: ${wrong.join(', ')}: 'embed' tells each positive from the others of its batch`,
  );
}

/** Packed rows have one length, so that examples of like length need not be looked for. */
function checkRows({ data: { packing }, training: { batchTokens } }: FinetuneConfig, name: string) {
  if (packing === undefined || batchTokens === undefined) return;
  throw new InputError(
    `${name}: 'data.packing' is '${packing}' and 'training.batchTokens' ${batchTokens}; packed rows have 'data.maxLength' tokens each: give 'training.batchSize', and leave one of the two out`,
  );
}

const isMethod = (value: unknown): value is FinetuneMethod =>
  (finetuneMethods as readonly unknown[]).includes(value);

/** What a run that resumes must have as it was, for its losses to be those of one run. */
export function fixedOfFinetune({
  method,
  adapter,
  data,
  training,
}: FinetuneConfig): Record<string, unknown> {
  const { seed, batchSize, batchTokens, accumulate, emaDecay, precision } = training;
  const fixed = {
    ...{ method, adapter, data },
    ...{ seed, batchSize, batchTokens, accumulate, emaDecay, precision },
  };
  // As it comes back from a file, which has no keys without a value.
  return JSON.parse(JSON.stringify(fixed)) as Record<string, unknown>;
}
