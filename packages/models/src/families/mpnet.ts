import { InputError } from '@headwise/core';
import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { labelCount, size } from '../fields.js';
import { bertKeys } from './bert.js';
import {
  type EncoderConfig,
  encoderFamily,
  maskedHead,
  tokenClasses,
} from './shared/encoder-family.js';

/** Hugging Face's `MPNetConfig`; other keys are kept as they are. */
export interface MPNetConfig extends EncoderConfig {
  model_type: 'mpnet';
  add_pooling_layer: boolean;
}

/** The id of padding, as transformers has it whatever the settings say; the first token has the position after it. */
const padId = 1;

const body = bertKeys('mpnet.').map(
  ([ours, theirs]) =>
    [
      ours,
      theirs
        .replace(/attention\.self\.(q|k|v)(uery|ey|alue)$/, 'attention.attn.$1')
        .replace('attention.output.dense', 'attention.attn.o')
        .replace('attention.output.LayerNorm', 'attention.LayerNorm'),
    ] as const,
);

/**
 * MPNet: RoBERTa without token types, whose scores have T5's relative biases besides.
 *
 * @see Song et al. 2020, https://arxiv.org/abs/2004.09297
 */
export const mpnet: ModelFamily<MPNetConfig> = encoderFamily<MPNetConfig>({
  modelType: 'mpnet',
  className: 'MPNet',
  shape: {
    vocab_size: size.default(30527),
    pad_token_id: z.literal(padId).default(padId),
    // transformers computes 32 buckets whatever the size of the table.
    relative_attention_num_buckets: z.literal(32).default(32),
  },
  heads: {
    Model: (config) => ({ kind: 'none', pooler: config.add_pooling_layer }),
    ForMaskedLM: (config) => ({ ...maskedHead(config), activation: 'gelu' }),
    ForSequenceClassification: (config) => ({
      kind: 'sequence-classification',
      labels: labelCount(config),
      pooler: { dropout: config.hidden_dropout_prob },
      dropout: config.hidden_dropout_prob,
      bias: true,
    }),
    ForTokenClassification: (config) => tokenClasses(config, config.hidden_dropout_prob),
    ForQuestionAnswering: () => ({ kind: 'question-answering' }),
  },
  parts: (config, bert) => ({
    ...bert,
    // The table's first rows belong to no position.
    maxLength: config.max_position_embeddings - padId - 1,
    embedding: { ...bert.embedding, padId },
    position: { kind: 'learned', padId, relative: { buckets: 32, maxDistance: 128 } },
  }),
  keys: (_, kind) => [
    ...(kind === 'ForSequenceClassification' ? [['pooler', 'classifier.dense'] as const] : []),
    ['positions.relative', 'mpnet.encoder.relative_attention_bias'],
    ...body,
    ['head.dense', 'lm_head.dense'],
    ['head.norm', 'lm_head.layer_norm'],
    ['head', 'lm_head'],
    ['score', scoreKeys[kind] ?? 'classifier'],
  ],
  keyPrefix: 'mpnet.',
  copies: [
    ['lm_head.decoder.weight', 'mpnet.embeddings.word_embeddings.weight'],
    ['lm_head.decoder.bias', 'lm_head.bias'],
  ],
  pooler: 'pooler.dense.weight',
  check({ max_position_embeddings: rows }, name) {
    if (rows > padId + 1) return;
    throw new InputError(
      `${name}: 'max_position_embeddings' is ${rows}; expected more than ${padId + 1}, the rows before the first position's`,
    );
  },
});

/** Where scores lie, if not in `classifier`. */
const scoreKeys: { readonly [kind in string]?: string } = {
  ForSequenceClassification: 'classifier.out_proj',
  ForQuestionAnswering: 'qa_outputs',
};
