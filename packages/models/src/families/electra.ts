import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { labelCount, rate, size } from '../fields.js';
import { bertKeys } from './bert.js';
import { activationOf } from './shared/activations.js';
import {
  type EncoderConfig,
  encoderFamily,
  maskedHead,
  tokenClasses,
} from './shared/encoder-family.js';

/** Hugging Face's `ElectraConfig`; other keys are kept as they are. */
export interface ElectraConfig extends EncoderConfig {
  model_type: 'electra';
  /** `E`, the width of the tables. */
  embedding_size: number;
  /** The number of token types. */
  type_vocab_size: number;
  /** Of what a classifier reads; null: `hidden_dropout_prob`. */
  classifier_dropout: number | null;
}

const dropoutOf = (config: ElectraConfig) =>
  config.classifier_dropout ?? config.hidden_dropout_prob;

/**
 * ELECTRA: BERT with tables that may be narrower than the model, whose discriminator scores each token as its own or
 * another's, and whose generator scores masked tokens.
 *
 * @see Clark et al. 2020, https://arxiv.org/abs/2003.10555
 */
export const electra: ModelFamily<ElectraConfig> = encoderFamily<ElectraConfig>({
  modelType: 'electra',
  className: 'Electra',
  shape: {
    vocab_size: size.default(30522),
    embedding_size: size.default(128),
    hidden_size: size.default(256),
    num_attention_heads: size.default(4),
    intermediate_size: size.default(1024),
    type_vocab_size: size.default(2),
    classifier_dropout: rate.nullable().default(null),
    is_decoder: z.literal(false).default(false),
    add_cross_attention: z.literal(false).default(false),
    position_embedding_type: z.literal('absolute').optional(),
  },
  names: {
    // Of a head for choices, which is not built.
    kept: ['summary_type', 'summary_use_proj', 'summary_activation', 'summary_last_dropout'],
  },
  heads: {
    Model: () => ({ kind: 'none' }),
    ForMaskedLM: (config) => ({ ...maskedHead(config), activation: 'gelu' }),
    ForPreTraining: (config) => ({
      kind: 'replaced-tokens',
      activation: activationOf(config.hidden_act),
    }),
    ForSequenceClassification: (config) => ({
      kind: 'sequence-classification',
      labels: labelCount(config),
      pooler: { activation: 'gelu', dropout: dropoutOf(config) },
      dropout: dropoutOf(config),
      bias: true,
    }),
    ForTokenClassification: (config) => tokenClasses(config, dropoutOf(config)),
    ForQuestionAnswering: () => ({ kind: 'question-answering' }),
  },
  parts: (config, bert) => ({
    ...bert,
    embedding: {
      ...bert.embedding,
      tokenTypes: config.type_vocab_size,
      ...(config.embedding_size === config.hidden_size ? {} : { width: config.embedding_size }),
    },
  }),
  keys: (_, kind) => [
    ...bertKeys('electra.').filter(([ours]) => ours !== 'pooler'),
    ['embeddingProjection', 'electra.embeddings_project'],
    ['head.dense', 'generator_predictions.dense'],
    ['head.norm', 'generator_predictions.LayerNorm'],
    ['head.decoder', 'generator_lm_head'],
    ['head', 'generator_lm_head'],
    ['transform', 'discriminator_predictions.dense'],
    ['pooler', 'classifier.dense'],
    ['score', scoreKeys[kind] ?? 'classifier'],
  ],
  keyPrefix: 'electra.',
  copies: [['generator_lm_head.weight', 'electra.embeddings.word_embeddings.weight']],
});

/** Where scores lie, if not in `classifier`. */
const scoreKeys: { readonly [kind in string]?: string } = {
  ForPreTraining: 'discriminator_predictions.dense_prediction',
  ForSequenceClassification: 'classifier.out_proj',
  ForQuestionAnswering: 'qa_outputs',
};
