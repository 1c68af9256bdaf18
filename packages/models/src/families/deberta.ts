import { InputError, quoted } from '@headwise/core';
import { z } from 'zod';
import type { ModelConfiguration } from '../build/model-configuration.js';
import type { ModelFamily } from '../family.js';
import { depth, labelCount, rate, size } from '../fields.js';
import { bertKeys } from './bert.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import {
  type EncoderConfig,
  encoderFamily,
  maskedHead,
  tokenClasses,
} from './shared/encoder-family.js';

/** Hugging Face's `DebertaV2Config`; other keys are kept as they are. */
export interface DebertaV2Config extends EncoderConfig {
  model_type: 'deberta-v2';
  /** The number of token types; 0: none. */
  type_vocab_size: number;
  /** Whether distances have vectors. */
  relative_attention: boolean;
  /** Distances beyond it count as it; below 1: `max_position_embeddings`. */
  max_relative_positions: number;
  /** The span of distances that have vectors, with buckets; below 1: `max_relative_positions`, without. */
  position_buckets: number;
  /** Which products with vectors of distances are added to scores: `c2p`, `p2c`. */
  pos_att_type?: string | readonly string[] | null | undefined;
  /** Whether vectors of distances become keys and queries by the layers' own projections. */
  share_att_key: boolean;
  /** `layer_norm` where vectors of distances are normalised. */
  norm_rel_ebd: string;
  /** Whether a learned vector for each place is added to the embeddings. */
  position_biased_input: boolean;
  pooler_dropout: number;
  pooler_hidden_act: ActivationName;
  /** Of what a classifier of sequences reads; null: `hidden_dropout_prob`. */
  cls_dropout?: number | null | undefined;
  /** Whether the head of masked tokens is BERT's. */
  legacy: boolean;
}

const names = { c2p: 'content-to-position', p2c: 'position-to-content' } as const;

/** The products that `pos_att_type` names, `p2c|c2p` or a list. */
function termsOf({ pos_att_type: given }: DebertaV2Config): (keyof typeof names)[] {
  const list = typeof given === 'string' ? given.toLowerCase().split('|') : (given ?? []);
  const named = list.map((one) => one.trim());
  return (['c2p', 'p2c'] as const).filter((term) => named.includes(term));
}

const isNormed = ({ norm_rel_ebd: given }: DebertaV2Config) =>
  given
    .toLowerCase()
    .split('|')
    .some((one) => one.trim() === 'layer_norm');

function positionOf(config: DebertaV2Config): ModelConfiguration['position'] {
  const { position_biased_input: absolute, position_buckets: buckets } = config;
  if (!config.relative_attention) return { kind: absolute ? 'learned' : 'none' };
  const far =
    config.max_relative_positions < 1
      ? config.max_position_embeddings
      : config.max_relative_positions;
  return {
    kind: 'disentangled',
    ...(buckets > 0 ? { span: buckets, maxDistance: far } : { span: far }),
    terms: termsOf(config).map((term) => names[term]),
    sharedProjections: config.share_att_key,
    normEpsilon: isNormed(config) ? config.layer_norm_eps : undefined,
    dropout: config.hidden_dropout_prob,
    absolute,
  };
}

const body = bertKeys('deberta.')
  .filter(([ours]) => ours !== 'pooler' && ours !== 'positions')
  .map(
    ([ours, theirs]) =>
      [
        ours,
        theirs.replace(/attention\.self\.(query|key|value)$/, 'attention.self.$1_proj'),
      ] as const,
  );
const own = 'deberta.encoder.layer.#.attention.self';

/** A size that is given once more, and must be the same. */
const absent = z.null().optional();

/**
 * DeBERTa 2 and 3: BERT whose scores have products of queries and keys with vectors of distances.
 *
 * @see He et al. 2020, https://arxiv.org/abs/2006.03654; He, Gao and Chen 2021 (v3), https://arxiv.org/abs/2111.09543
 */
export const debertaV2: ModelFamily<DebertaV2Config> = encoderFamily<DebertaV2Config>({
  modelType: 'deberta-v2',
  className: 'DebertaV2',
  shape: {
    vocab_size: size.default(128100),
    hidden_size: size.default(1536),
    num_hidden_layers: depth.default(24),
    num_attention_heads: size.default(24),
    intermediate_size: size.default(6144),
    layer_norm_eps: z.number().positive().default(1e-7),
    type_vocab_size: z.number().int().min(0).default(0),
    relative_attention: z.boolean().default(false),
    max_relative_positions: z.number().int().default(-1),
    position_buckets: z.number().int().default(-1),
    pos_att_type: z.union([z.string(), z.array(z.string())]).nullish(),
    share_att_key: z.boolean().default(false),
    norm_rel_ebd: z.string().default('none'),
    position_biased_input: z.boolean().default(true),
    pooler_dropout: rate.default(0),
    pooler_hidden_act: activation('gelu'),
    cls_dropout: rate.nullish(),
    legacy: z.boolean().default(true),
    // A convolution beside the first block, as in the largest of version 2.
    conv_kernel_size: z.literal(0).nullish(),
    attention_head_size: absent,
    embedding_size: size.optional(),
    pooler_hidden_size: size.optional(),
  },
  names: { kept: ['conv_act', 'conv_groups'] },
  heads: {
    Model: () => ({ kind: 'none' }),
    ForMaskedLM: (config) =>
      config.legacy ? maskedHead(config) : { ...maskedHead(config), tied: true },
    ForSequenceClassification: (config) => ({
      kind: 'sequence-classification',
      labels: labelCount(config),
      pooler: {
        activation: activationOf(config.pooler_hidden_act),
        dropout: config.pooler_dropout,
      },
      dropout: config.cls_dropout ?? config.hidden_dropout_prob,
      bias: true,
    }),
    ForTokenClassification: (config) => tokenClasses(config, config.hidden_dropout_prob),
    ForQuestionAnswering: () => ({ kind: 'question-answering' }),
  },
  parts(config, bert) {
    const headDim = config.hidden_size / config.num_attention_heads;
    return {
      ...bert,
      embedding: {
        ...bert.embedding,
        ...(config.type_vocab_size > 0 ? { tokenTypes: config.type_vocab_size } : {}),
      },
      position: positionOf(config),
      score: {
        kind: 'scaled-dot-product',
        scale: 1 / Math.sqrt(headDim * (1 + termsOf(config).length)),
      },
    };
  },
  keys: (config, kind) => {
    const head = config.legacy ? 'cls.predictions' : 'lm_predictions.lm_head';
    const transform = config.legacy ? `${head}.transform` : head;
    const absolute = config.relative_attention ? 'positions.absolute' : 'positions';
    return [
      [absolute, 'deberta.embeddings.position_embeddings'],
      ['positions.norm', 'deberta.encoder.LayerNorm'],
      ['positions', 'deberta.encoder.rel_embeddings'],
      ['blocks.#.attn.position.key', `${own}.pos_key_proj`],
      ['blocks.#.attn.position.query', `${own}.pos_query_proj`],
      ...body,
      ['head.dense', `${transform}.dense`],
      ['head.norm', `${transform}.LayerNorm`],
      ['head', head],
      ['pooler', 'pooler.dense'],
      ['score', kind === 'ForQuestionAnswering' ? 'qa_outputs' : 'classifier'],
    ];
  },
  keyPrefix: 'deberta.',
  copies: [
    ['cls.predictions.decoder.weight', 'deberta.embeddings.word_embeddings.weight'],
    ['cls.predictions.decoder.bias', 'cls.predictions.bias'],
  ],
  check(config, name) {
    for (const key of ['embedding_size', 'pooler_hidden_size'] as const) {
      const given = config[key];
      if (given === undefined || given === config.hidden_size) continue;
      throw new InputError(
        `${name}: '${key}' is ${quoted(given)}; expected 'hidden_size', ${config.hidden_size}: other widths are not built`,
      );
    }
    if (config.relative_attention && termsOf(config).length === 0) {
      throw new InputError(
        `${name}: 'relative_attention' is true and 'pos_att_type' ${quoted(config.pos_att_type)}; expected "c2p", "p2c" or both`,
      );
    }
    const { position_buckets: buckets } = config;
    const position = positionOf(config);
    if (position.kind !== 'disentangled' || position.maxDistance === undefined) return;
    if (buckets >= 4 && position.maxDistance > Math.floor(buckets / 2) + 1) return;
    throw new InputError(
      `${name}: 'position_buckets' is ${buckets}, up to a distance of ${position.maxDistance}; expected at least 4, and a distance beyond half of them and 1`,
    );
  },
});
