import { InputError } from '@headwise/core';
import type { Activation } from '@headwise/layers';
import type { RotaryScaling } from '@headwise/positions';
import { z } from 'zod';
import { checkDivides, parseWith, rate, size } from './config.js';

/** How a model knows the order of its tokens. */
export type PositionPart =
  | { kind: 'none' }
  | { kind: 'learned' }
  | { kind: 'sinusoidal' }
  | RotaryPart
  /** `factor`: of the slopes, default 1. */
  | { kind: 'alibi'; factor?: number | undefined }
  | { kind: 't5'; buckets: number; maxDistance: number }
  | { kind: 'shaw'; clip: number };

export interface RotaryPart {
  kind: 'rotary';
  base?: number | undefined;
  scaling?: RotaryScaling | undefined;
  /** The length that scaling starts from; default the longest sequence. */
  trainedLength?: number | undefined;
}

/** How tokens become the input of the first block. */
export interface EmbeddingPart {
  /** What embeddings are multiplied by; default 1. */
  scale?: number | undefined;
  /** Whether they are normalised; default no. */
  norm?: boolean | undefined;
  dropout?: number | undefined;
}

/** The layout of heads. */
export interface HeadsPart {
  /** `H` */
  count: number;
  /** `Hkv`, which divides H: `H / Hkv` neighbouring heads share keys and values; default H. */
  kv?: number | undefined;
  /** `Dh`; default `D / H`. */
  dim?: number | undefined;
  /** Biases of the projections; default none. */
  bias?: { qkv: boolean; out: boolean } | undefined;
  /** Whether queries, keys and values come from one matrix; default `separate`. */
  projection?: 'separate' | 'fused' | undefined;
  /** The number of tokens that a query sees, itself the last; null: all. One for all layers, or one each. */
  window?: number | null | readonly (number | null)[] | undefined;
  /** Of the attention weights. */
  dropout?: number | undefined;
}

/** How a query and a key are compared. */
export interface ScorePart {
  kind: 'scaled-dot-product' | 'dot-product' | 'general' | 'additive';
  /** What products are multiplied by, where not by what the kind says. */
  scale?: number | undefined;
  /** c: a score s becomes `c tanh(s / c)`. */
  softCap?: number | undefined;
}

export interface NormPart {
  kind: 'layer' | 'rms';
  epsilon?: number | undefined;
}

export interface FeedForwardPart {
  kind: 'plain' | 'gated';
  /** `F`; default `4 D`. */
  hidden?: number | undefined;
  activation?: Activation | undefined;
  bias?: boolean | undefined;
}

/**
 * How attention and the feed-forward layer are joined: `pre-norm` and `post-norm` one after the other; `normed-stream`
 * like `pre-norm`, but what is added to is the norm's output; `parallel` both on the output of one norm;
 * `parallel-two-norms` each on that of its own.
 */
export type BlockKind =
  | 'pre-norm'
  | 'post-norm'
  | 'normed-stream'
  | 'parallel'
  | 'parallel-two-norms';

/** Scores of labels for a sequence, from its last token. */
export interface ClassificationHead {
  kind: 'sequence-classification';
  labels: number;
  /** The id of padding, which is not the last token; default: nothing is padding. */
  padId?: number | undefined;
}

/** What a model makes of its last hidden states; `tied`: scores of tokens by the embeddings' own matrix. */
export type HeadPart = { kind: 'language-model'; tied: boolean } | ClassificationHead;

/** What a model is made of: every part by its kind, every size by its number. */
export interface ModelConfiguration {
  model_type: 'headwise';
  topology: 'decoder';
  /** `V` */
  vocabSize: number;
  /** The longest sequence. */
  maxLength: number;
  /** `D` */
  dim: number;
  /** `L` */
  layers: number;
  embedding?: EmbeddingPart | undefined;
  position: PositionPart;
  heads: HeadsPart;
  /** Default `scaled-dot-product`. */
  score?: ScorePart | undefined;
  norm: NormPart;
  feedForward: FeedForwardPart;
  block: BlockKind;
  /** Of what is added to the residual stream; default 0. */
  dropout?: number | undefined;
  head: HeadPart;
  /** How weights of matrices lie, in memory as in the checkpoint; default `in-out`. */
  layout?: 'in-out' | 'out-in' | undefined;
  /** The standard deviation of initial weights, default 0.02; `byDepth`: over `√(2 L)` for what is added to the stream. */
  init?: { std?: number | undefined; byDepth?: boolean | undefined } | undefined;
}

const count = z.number().int().min(0);
const activation = z.enum(['gelu', 'gelu_new', 'relu', 'silu']);
const window = size.nullable();

const positive = z.number().positive();
const length = { original_max_position_embeddings: size.optional() };

/** Hugging Face's `rope_scaling`, by its `rope_type`. */
export const rotaryScaling: z.ZodType<RotaryScaling> = z.discriminatedUnion('rope_type', [
  z.looseObject({ rope_type: z.literal('default') }),
  z.looseObject({ rope_type: z.literal('linear'), factor: positive }),
  z.looseObject({ rope_type: z.literal('dynamic'), factor: positive }),
  z.looseObject({
    rope_type: z.literal('yarn'),
    factor: positive,
    attention_factor: positive.nullish(),
    beta_fast: z.number().nonnegative().nullish(),
    beta_slow: z.number().nonnegative().nullish(),
    mscale: z.number().nonnegative().nullish(),
    mscale_all_dim: z.number().nonnegative().nullish(),
    truncate: z.boolean().optional(),
    ...length,
  }),
  z.looseObject({
    rope_type: z.literal('llama3'),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    ...length,
  }),
]);

const position = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('learned') }),
  z.strictObject({ kind: z.literal('sinusoidal') }),
  z.strictObject({
    kind: z.literal('rotary'),
    base: z.number().positive().optional(),
    scaling: rotaryScaling.optional(),
    trainedLength: size.optional(),
  }),
  z.strictObject({ kind: z.literal('alibi'), factor: z.number().optional() }),
  z.strictObject({ kind: z.literal('t5'), buckets: size, maxDistance: size }),
  z.strictObject({ kind: z.literal('shaw'), clip: size }),
]);

const head = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('language-model'), tied: z.boolean() }),
  z.strictObject({
    kind: z.literal('sequence-classification'),
    labels: size,
    padId: count.optional(),
  }),
]);

const schema: z.ZodType<ModelConfiguration> = z.strictObject({
  model_type: z.literal('headwise'),
  topology: z.literal('decoder'),
  vocabSize: size,
  maxLength: size,
  dim: size,
  layers: size,
  embedding: z
    .strictObject({
      scale: z.number().optional(),
      norm: z.boolean().optional(),
      dropout: rate.optional(),
    })
    .optional(),
  position,
  heads: z.strictObject({
    count: size,
    kv: size.optional(),
    dim: size.optional(),
    bias: z.strictObject({ qkv: z.boolean(), out: z.boolean() }).optional(),
    projection: z.enum(['separate', 'fused']).optional(),
    window: z.union([window, z.array(window)]).optional(),
    dropout: rate.optional(),
  }),
  score: z
    .strictObject({
      kind: z.enum(['scaled-dot-product', 'dot-product', 'general', 'additive']),
      scale: z.number().optional(),
      softCap: z.number().positive().optional(),
    })
    .optional(),
  norm: z.strictObject({
    kind: z.enum(['layer', 'rms']),
    epsilon: z.number().positive().optional(),
  }),
  feedForward: z.strictObject({
    kind: z.enum(['plain', 'gated']),
    hidden: size.optional(),
    activation: activation.optional(),
    bias: z.boolean().optional(),
  }),
  block: z.enum(['pre-norm', 'post-norm', 'normed-stream', 'parallel', 'parallel-two-norms']),
  dropout: rate.optional(),
  head,
  layout: z.enum(['in-out', 'out-in']).optional(),
  init: z
    .strictObject({ std: z.number().nonnegative().optional(), byDepth: z.boolean().optional() })
    .optional(),
});

/**
 * Reads a configuration.
 *
 * @throws InputError with one line a problem: the key, what it holds, what was expected
 */
export function parseConfiguration(json: unknown, name = 'configuration'): ModelConfiguration {
  const config = parseWith(schema, json, name);
  const { dim, layers, heads } = config;
  if (heads.dim === undefined) checkDivides(name, 'dim', dim, 'heads.count', heads.count);
  checkDivides(name, 'heads.count', heads.count, 'heads.kv', heads.kv ?? heads.count);
  if (Array.isArray(heads.window) && heads.window.length !== layers) {
    throw new InputError(
      `${name}: 'heads.window' has ${heads.window.length} entries; expected one for each of ${layers} layers`,
    );
  }
  return config;
}
