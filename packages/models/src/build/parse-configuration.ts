import type { RotaryScaling } from '@headwise/positions';
import { z } from 'zod';
import { activationKinds } from '../families/shared/activations.js';
import { depth, rate, size } from '../fields.js';
import { parseWith } from '../parse-with.js';
import { checkConsistent } from './consistency.js';
import type {
  BlockKind,
  FeedForwardPart,
  HeadPart,
  ModelConfiguration,
  NamedFeedForward,
  NamedNorm,
  NamedScore,
  NormPart,
  OfKind,
  PositionPart,
  ScorePart,
} from './model-configuration.js';
import { checkOwnPart, type OwnPart, type PartFactory } from './own-parts.js';
import { ownPartsOf, withOwnParts } from './written.js';

const count = z.number().int().min(0);
const activation = z.enum(activationKinds);
const window = size.nullable();

const positive = z.number().positive();
// A table holds a number for each distance.
const tableSize = size.max(2 ** 20);
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
    rope_type: z.literal('longrope'),
    factor: positive,
    short_factor: z.array(positive),
    long_factor: z.array(positive),
    attention_factor: positive.nullish(),
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

/** A schema for each kind of a part; the compiler asks for every kind. */
type Kinds<Part extends { kind: string }> = {
  readonly [K in Part['kind']]: z.core.$ZodTypeDiscriminable & z.ZodType<OfKind<Part, K>>;
};

const oneOf = <Part extends { kind: string }>(kinds: Kinds<Part>): z.ZodType<Part> => {
  const [first, ...others] = Object.values(kinds) as z.core.$ZodTypeDiscriminable[];
  return z.discriminatedUnion('kind', [first!, ...others]) as never;
};

const own = z.strictObject({
  kind: z.literal('own'),
  name: z.string().min(1),
  options: z.record(z.string(), z.unknown()).optional(),
  make: z.custom<PartFactory>((make) => typeof make === 'function').optional(),
}) as unknown as z.core.$ZodTypeDiscriminable & z.ZodType<OwnPart<never>>;

const position = oneOf<PositionPart>({
  none: z.strictObject({ kind: z.literal('none') }),
  learned: z.strictObject({
    kind: z.literal('learned'),
    offset: count.optional(),
    padId: count.optional(),
  }),
  sinusoidal: z.strictObject({
    kind: z.literal('sinusoidal'),
    layout: z.enum(['interleaved', 'halves']).optional(),
  }),
  rotary: z.strictObject({
    kind: z.literal('rotary'),
    base: z.number().positive().optional(),
    scaling: rotaryScaling.optional(),
    trainedLength: size.optional(),
  }),
  alibi: z.strictObject({
    kind: z.literal('alibi'),
    factor: z.number().optional(),
    rounding: z.literal('bfloat16').optional(),
  }),
  t5: z.strictObject({ kind: z.literal('t5'), buckets: size, maxDistance: tableSize }),
  shaw: z.strictObject({ kind: z.literal('shaw'), clip: size }),
  'transformer-xl': z.strictObject({
    kind: z.literal('transformer-xl'),
    maxDistance: size.optional(),
    sharedBiases: z.boolean().optional(),
  }),
  own,
});

const scoreSettings = { scale: z.number().optional(), softCap: positive.optional() };
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
  z.strictObject({ kind: z.literal(kind), epsilon: positive.optional() });

const norm = oneOf<NormPart>({ layer: normOf('layer'), rms: normOf('rms'), own });

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
  own,
});

const blockKinds: { readonly [K in BlockKind]: K } = {
  'pre-norm': 'pre-norm',
  'post-norm': 'post-norm',
  'normed-stream': 'normed-stream',
  parallel: 'parallel',
  'parallel-two-norms': 'parallel-two-norms',
};

const head = oneOf<HeadPart>({
  'language-model': z.strictObject({
    kind: z.literal('language-model'),
    tied: z.boolean(),
    bias: z.boolean().optional(),
    scale: positive.optional(),
  }),
  'masked-language-model': z.strictObject({
    kind: z.literal('masked-language-model'),
    tied: z.boolean(),
    activation: activation.optional(),
    nextSentence: z.boolean().optional(),
  }),
  adaptive: z.strictObject({ kind: z.literal('adaptive'), tied: z.array(z.boolean()) }),
  'sequence-classification': z.strictObject({
    kind: z.literal('sequence-classification'),
    labels: size,
    padId: count.optional(),
    pooler: z.strictObject({ dropout: rate.optional() }).optional(),
    dropout: rate.optional(),
    bias: z.boolean().optional(),
  }),
  'next-sentence': z.strictObject({ kind: z.literal('next-sentence') }),
  'token-classification': z.strictObject({
    kind: z.literal('token-classification'),
    labels: size,
    dropout: rate.optional(),
  }),
  'question-answering': z.strictObject({ kind: z.literal('question-answering') }),
  none: z.strictObject({ kind: z.literal('none'), pooler: z.boolean().optional() }),
});

const schema: z.ZodType<ModelConfiguration> = z.strictObject({
  model_type: z.literal('headwise'),
  topology: z.enum(['decoder', 'encoder', 'encoder-decoder']),
  vocabSize: size,
  maxLength: size.nullable(),
  dim: size,
  layers: depth,
  decoder: z
    .strictObject({ layers: depth.optional(), heads: size.optional(), hidden: size.optional() })
    .optional(),
  embedding: z
    .strictObject({
      scale: z.number().optional(),
      norm: z.boolean().optional(),
      padId: count.optional(),
      adaptive: z.strictObject({ width: size, cutoffs: z.array(size), divisor: size }).optional(),
      dropout: rate.optional(),
      tokenTypes: size.optional(),
      separate: z.array(z.enum(['encoder', 'decoder'])).optional(),
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
  score: score.optional(),
  mask: own.optional(),
  mods: z.array(own).optional(),
  norm,
  feedForward,
  block: z.union([z.enum(Object.values(blockKinds)), own]),
  finalNorm: z.boolean().optional(),
  dropout: rate.optional(),
  finalDropout: rate.optional(),
  head,
  startId: count.optional(),
  layout: z.enum(['in-out', 'out-in']).optional(),
  init: z
    .strictObject({
      std: z.number().nonnegative().optional(),
      byDepth: z.boolean().optional(),
      byFanIn: z.boolean().optional(),
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
  for (const [key, slot, part] of ownPartsOf(config)) checkOwnPart(slot, part, `${name}: '${key}'`);
  checkConsistent(config, name);
  return config;
}
