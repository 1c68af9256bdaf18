import { InputError } from '@headwise/core';
import type { RotaryScaling } from '@headwise/positions';
import { z } from 'zod';
import { activationKinds } from '../families/shared/activations.js';
import { depth, rate, size } from '../fields.js';
import { checkDivides, parseWith } from '../parse-with.js';
import type { ModelConfiguration } from './model-configuration.js';

const count = z.number().int().min(0);
const activation = z.enum(activationKinds);
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
  z.strictObject({
    kind: z.literal('alibi'),
    factor: z.number().optional(),
    rounding: z.literal('bfloat16').optional(),
  }),
  z.strictObject({ kind: z.literal('t5'), buckets: size, maxDistance: size }),
  z.strictObject({ kind: z.literal('shaw'), clip: size }),
  z.strictObject({
    kind: z.literal('transformer-xl'),
    maxDistance: size.optional(),
    sharedBiases: z.boolean().optional(),
  }),
]);

const head = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('language-model'), tied: z.boolean() }),
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('adaptive'), tied: z.array(z.boolean()) }),
  z.strictObject({
    kind: z.literal('sequence-classification'),
    labels: size,
    padId: count.optional(),
  }),
]);

const schema: z.ZodType<ModelConfiguration> = z.strictObject({
  model_type: z.literal('headwise'),
  topology: z.enum(['decoder', 'encoder', 'encoder-decoder']),
  vocabSize: size,
  maxLength: size,
  dim: size,
  layers: depth,
  embedding: z
    .strictObject({
      scale: z.number().optional(),
      norm: z.boolean().optional(),
      padId: count.optional(),
      adaptive: z.strictObject({ width: size, cutoffs: z.array(size), divisor: size }).optional(),
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
  finalNorm: z.boolean().optional(),
  dropout: rate.optional(),
  head,
  startId: count.optional(),
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
  if (config.topology !== 'decoder') checkTopology(config, name);
  const adaptive = config.embedding?.adaptive !== undefined;
  if (adaptive !== (config.head.kind === 'adaptive')) {
    throw new InputError(
      `${name}: 'embedding.adaptive' ${adaptive ? 'is there' : 'is missing'} and 'head.kind' is "${config.head.kind}"; an adaptive head goes with an adaptive embedding`,
    );
  }
  return config;
}

/** Throws for parts that go with decoders alone. */
function checkTopology({ topology, position, head }: ModelConfiguration, name: string): void {
  if (position.kind === 'transformer-xl') {
    throw new InputError(
      `${name}: 'position.kind' is "transformer-xl", whose memory is of what came before; expected 'topology' "decoder", got "${topology}"`,
    );
  }
  const heads =
    topology === 'encoder'
      ? ['language-model', 'none', 'sequence-classification']
      : ['language-model'];
  if (heads.includes(head.kind)) return;
  throw new InputError(
    `${name}: 'head.kind' is "${head.kind}"; 'topology' "${topology}" takes ${heads.join(' or ')}`,
  );
}
