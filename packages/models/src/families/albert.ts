import { InputError } from '@headwise/core';
import type { KeyTable, ModelFamily } from '../family.js';
import { depth, labelCount, rate, size } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { activation } from './shared/activations.js';
import {
  type EncoderConfig,
  encoderFamily,
  maskedHead,
  tokenClasses,
} from './shared/encoder-family.js';

/** Hugging Face's `AlbertConfig`; other keys are kept as they are. */
export interface AlbertConfig extends EncoderConfig {
  model_type: 'albert';
  /** `E`, the width of the tables. */
  embedding_size: number;
  /** How many blocks, or groups of blocks, have parameters of their own; which of them a layer has follows from its number. */
  num_hidden_groups: number;
  /** The blocks of a group, one after the other in each of the `num_hidden_layers`. */
  inner_group_num: number;
  /** The number of token types. */
  type_vocab_size: number;
  /** Of what a classifier reads. */
  classifier_dropout_prob: number;
  add_pooling_layer: boolean;
}

/** The block that each layer has: of `num_hidden_layers` rounds, those of the round's group. */
const blocksOf = ({
  num_hidden_layers: rounds,
  num_hidden_groups: groups,
  inner_group_num: inner,
}: AlbertConfig): number[] =>
  Array.from({ length: rounds * inner }, (_, i) => {
    const round = Math.floor(i / inner);
    return Math.floor(round / (rounds / groups)) * inner + (i % inner);
  });

/** The keys of each block, as a group's blocks are numbered for themselves. */
function blockKeys({ num_hidden_groups: groups, inner_group_num: inner }: AlbertConfig): KeyTable {
  return Array.from({ length: groups * inner }, (_, block) => {
    const [group, number] = [Math.floor(block / inner), block % inner];
    const ours = `blocks.${block}`;
    const layer = `albert.encoder.albert_layer_groups.${group}.albert_layers.${number}`;
    return [
      [`${ours}.attn.qProj`, `${layer}.attention.query`],
      [`${ours}.attn.kProj`, `${layer}.attention.key`],
      [`${ours}.attn.vProj`, `${layer}.attention.value`],
      [`${ours}.attn.outProj`, `${layer}.attention.dense`],
      [`${ours}.norm1`, `${layer}.attention.LayerNorm`],
      [`${ours}.mlp.up`, `${layer}.ffn`],
      [`${ours}.mlp.down`, `${layer}.ffn_output`],
      [`${ours}.norm2`, `${layer}.full_layer_layer_norm`],
    ] as const;
  }).flat();
}

/**
 * ALBERT: BERT whose layers share their parameters, with tables narrower than the model.
 *
 * @see Lan et al. 2020, https://arxiv.org/abs/1909.11942
 */
export const albert: ModelFamily<AlbertConfig> = encoderFamily<AlbertConfig>({
  modelType: 'albert',
  className: 'Albert',
  shape: {
    vocab_size: size.default(30000),
    embedding_size: size.default(128),
    hidden_size: size.default(4096),
    num_hidden_groups: depth.default(1),
    num_attention_heads: size.default(64),
    intermediate_size: size.default(16384),
    inner_group_num: depth.default(1),
    hidden_act: activation('gelu_new'),
    hidden_dropout_prob: rate.default(0),
    attention_probs_dropout_prob: rate.default(0),
    type_vocab_size: size.default(2),
    classifier_dropout_prob: rate.default(0.1),
  },
  names: { kept: ['net_structure_type', 'gap_size', 'num_memory_blocks', 'down_scale_factor'] },
  heads: {
    Model: (config) => ({ kind: 'none', pooler: config.add_pooling_layer }),
    ForMaskedLM: maskedHead,
    ForSequenceClassification: (config) => ({
      kind: 'sequence-classification',
      labels: labelCount(config),
      pooler: {},
      dropout: config.classifier_dropout_prob,
      bias: true,
    }),
    ForTokenClassification: (config) => tokenClasses(config, config.classifier_dropout_prob),
    ForQuestionAnswering: () => ({ kind: 'question-answering' }),
  },
  parts: (config, bert) => ({
    ...bert,
    layers: config.num_hidden_layers * config.inner_group_num,
    embedding: {
      ...bert.embedding,
      tokenTypes: config.type_vocab_size,
      width: config.embedding_size,
    },
    sharedBlocks: blocksOf(config),
    dropout: { attention: config.hidden_dropout_prob, feedForward: 0 },
  }),
  keys: (config, kind) => [
    ['tokens', 'albert.embeddings.word_embeddings'],
    ['positions', 'albert.embeddings.position_embeddings'],
    ['tokenTypes', 'albert.embeddings.token_type_embeddings'],
    ['embeddingNorm', 'albert.embeddings.LayerNorm'],
    ['embeddingProjection', 'albert.encoder.embedding_hidden_mapping_in'],
    ...blockKeys(config),
    ['pooler', 'albert.pooler'],
    ['head.dense', 'predictions.dense'],
    ['head.norm', 'predictions.LayerNorm'],
    ['head', 'predictions'],
    ['score', kind === 'ForQuestionAnswering' ? 'qa_outputs' : 'classifier'],
  ],
  keyPrefix: 'albert.',
  copies: [
    ['predictions.decoder.weight', 'albert.embeddings.word_embeddings.weight'],
    ['predictions.decoder.bias', 'predictions.bias'],
  ],
  pooler: 'pooler.weight',
  check({ num_hidden_layers: rounds, num_hidden_groups: groups, inner_group_num: inner }, name) {
    checkDivides(name, 'num_hidden_layers', rounds, 'num_hidden_groups', groups);
    if (rounds * inner <= 4096) return;
    throw new InputError(
      `${name}: 'num_hidden_layers' ${rounds} times 'inner_group_num' ${inner} are ${rounds * inner} layers; expected at most 4096`,
    );
  },
});
