import { type Activation, activations } from '@headwise/layers';
import { z } from 'zod';
import { depth, rate, size } from '../fields.js';
import { parseWith } from '../parse-with.js';
import { checkConsistent } from './consistency.js';
import { oneOf, own } from './kinds.js';
import type {
  BlockKind,
  FeedForwardPart,
  HeadPart,
  ModelConfiguration,
  NamedFeedForward,
  NamedNorm,
  NamedScore,
  NormPart,
  ScorePart,
} from './model-configuration.js';
import { checkOwnPart } from './own-parts.js';
import { positionSchema } from './positions.js';
import { ownPartsOf, withOwnParts } from './written.js';

const count = z.number().int().min(0);
const activation = z.enum(Object.keys(activations) as Activation[]);
const window = size.nullable();

const positive = z.number().positive();
const scoreSettings = {
  scale: z.number().optional(),
  byDepth: z.boolean().optional(),
  softCap: positive.optional(),
};
const scoreOf = <K extends NamedScore['kind']>(kind: K) =>
  z.strictObject({ kind: z.literal(kind), ...scoreSettings });

const score = oneOf<ScorePart>({
  'scaled-dot-product': scoreOf('scaled-dot-product'),
  'dot-product': scoreOf('dot-product'),
  general: scoreOf('general'),
  additive: scoreOf('additive'),
  own,
});

const normOf = <K extends NamedNorm['kind']>(kind: K) =>
  z.strictObject({
    kind: z.literal(kind),
    epsilon: positive.optional(),
    offset: z.number().optional(),
  });

const norm = oneOf<NormPart>({
  layer: normOf('layer').extend({ bias: z.boolean().optional() }),
  rms: normOf('rms'),
  own,
});

const feedForwardOf = <K extends NamedFeedForward['kind']>(kind: K) =>
  z.strictObject({
    kind: z.literal(kind),
    hidden: size.optional(),
    activation: activation.optional(),
    bias: z.boolean().optional(),
    dropout: rate.optional(),
  });

const feedForward = oneOf<FeedForwardPart>({
  plain: feedForwardOf('plain'),
  gated: feedForwardOf('gated'),
  experts: z.strictObject({
    kind: z.literal('experts'),
    count: size,
    active: size,
    hidden: size,
    activation: activation.optional(),
    normalize: z.boolean().optional(),
    balance: z.number().nonnegative().optional(),
    dense: z.strictObject({ layers: z.array(count), hidden: size }).optional(),
  }),
  own,
});

const blockKinds: { readonly [K in BlockKind]: K } = {
  'pre-norm': 'pre-norm',
  'post-norm': 'post-norm',
  'sandwich-norm': 'sandwich-norm',
  'output-norm': 'output-norm',
  'normed-stream': 'normed-stream',
  parallel: 'parallel',
  'parallel-two-norms': 'parallel-two-norms',
};

const transform = {
  activation,
  bias: z.boolean().optional(),
  norm: z.boolean().optional(),
};
const pooler = z.strictObject({
  ...transform,
  activation: activation.optional(),
  of: z.enum(['first', 'mean']).optional(),
  dropout: rate.optional(),
});

const head = oneOf<HeadPart>({
  'language-model': z.strictObject({
    kind: z.literal('language-model'),
    tied: z.boolean(),
    bias: z.boolean().optional(),
    scale: positive.optional(),
    softCap: positive.optional(),
  }),
  'masked-language-model': z.strictObject({
    kind: z.literal('masked-language-model'),
    tied: z.boolean(),
    activation: activation.optional(),
    bias: z.boolean().optional(),
    nextSentence: z.boolean().optional(),
  }),
  adaptive: z.strictObject({ kind: z.literal('adaptive'), tied: z.array(z.boolean()) }),
  'sequence-classification': z.strictObject({
    kind: z.literal('sequence-classification'),
    labels: size,
    padId: count.optional(),
    pooler: pooler.optional(),
    dropout: rate.optional(),
    bias: z.boolean().optional(),
  }),
  'next-sentence': z.strictObject({ kind: z.literal('next-sentence') }),
  'token-classification': z.strictObject({
    kind: z.literal('token-classification'),
    labels: size,
    transform: z.strictObject(transform).optional(),
    dropout: rate.optional(),
  }),
  'question-answering': z.strictObject({
    kind: z.literal('question-answering'),
    transform: z.strictObject(transform).optional(),
    dropout: rate.optional(),
  }),
  'replaced-tokens': z.strictObject({ kind: z.literal('replaced-tokens'), activation }),
  embedding: z.strictObject({
    kind: z.literal('embedding'),
    of: z.union([z.enum(['first', 'highest-id']), z.strictObject({ id: count })]),
    norm: z.boolean().optional(),
    width: size.optional(),
  }),
  none: z.strictObject({ kind: z.literal('none'), pooler: z.boolean().optional() }),
});

const encoder: z.ZodType<ModelConfiguration['encoder']> = z.lazy(
  () => z.union([z.literal('states'), schema]) as never,
);

const schema: z.ZodType<ModelConfiguration> = z.strictObject({
  model_type: z.literal('headwise'),
  topology: z.enum(['decoder', 'encoder', 'encoder-decoder']),
  vocabSize: count,
  maxLength: size.nullable(),
  dim: size,
  layers: depth,
  decoder: z
    .strictObject({
      layers: depth.optional(),
      heads: size.optional(),
      hidden: size.optional(),
      vocabSize: size.optional(),
    })
    .optional(),
  encoder: encoder.optional(),
  embedding: z
    .strictObject({
      scale: z.number().optional(),
      norm: z.boolean().optional(),
      padId: count.optional(),
      adaptive: z.strictObject({ width: size, cutoffs: z.array(size), divisor: size }).optional(),
      dropout: rate.optional(),
      tokenTypes: size.optional(),
      width: size.optional(),
      patches: z
        .strictObject({
          ...{ height: size, width: size, size: z.tuple([size, size]), channels: size },
          ...{ bias: z.boolean().optional(), table: z.boolean().optional() },
        })
        .optional(),
      frames: z.strictObject({ count: size, channels: size }).optional(),
      separate: z.array(z.enum(['encoder', 'decoder'])).optional(),
    })
    .optional(),
  position: positionSchema,
  heads: z.strictObject({
    count: size,
    kv: size.optional(),
    dim: size.optional(),
    bias: z
      .strictObject({ qkv: z.boolean(), k: z.boolean().optional(), out: z.boolean() })
      .optional(),
    projection: z.enum(['separate', 'fused']).optional(),
    window: z.union([window, z.array(window)]).optional(),
    qkNorm: z.union([z.boolean(), z.literal('across-heads')]).optional(),
    dropout: rate.optional(),
  }),
  score: score.optional(),
  mask: own.optional(),
  mods: z.array(own).optional(),
  norm,
  feedForward,
  block: z.union([z.enum(Object.values(blockKinds)), own]),
  sharedBlocks: z.array(count).optional(),
  firstNorm: z.boolean().optional(),
  finalNorm: z.boolean().optional(),
  residualScale: z.number().optional(),
  dropout: z.union([rate, z.strictObject({ attention: rate, feedForward: rate })]).optional(),
  finalDropout: rate.optional(),
  head,
  startId: count.optional(),
  layout: z.enum(['in-out', 'out-in']).optional(),
  init: z
    .strictObject({
      std: z.number().nonnegative().optional(),
      byDepth: z.boolean().optional(),
      byFanIn: z.boolean().optional(),
      zero: z.array(z.enum(['residual', 'head'])).optional(),
    })
    .optional(),
});

/**
 * Reads a configuration.
 *
 * @throws InputError with one line a problem: the key, what it holds, what was expected
 */
export function parseConfiguration(json: unknown, name = 'configuration'): ModelConfiguration {
  const config = parseWith(schema, withOwnParts(json, name), name);
  checkOwnParts(config, name);
  checkConsistent(config, name);
  return config;
}

function checkOwnParts(config: ModelConfiguration, name: string): void {
  for (const [key, slot, part] of ownPartsOf(config)) checkOwnPart(slot, part, `${name}: '${key}'`);
  const { encoder } = config;
  if (typeof encoder === 'object') checkOwnParts(encoder, `${name}: encoder`);
}
