import { z } from 'zod';
import type { ModelFamily } from '../family.js';
import { depth, labelCount, rate, size } from '../fields.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import {
  type EncoderConfig,
  encoderFamily,
  maskedHead,
  tokenClasses,
} from './shared/encoder-family.js';

/** Hugging Face's `DistilBertConfig`, with its sizes by their general names; other keys are kept as they are. */
export interface DistilBertConfig extends EncoderConfig {
  model_type: 'distilbert';
  /** `F` */
  hidden_dim: number;
  activation: ActivationName;
  /** Of the embeddings, and of what is added to the residual stream. */
  dropout: number;
  attention_dropout: number;
  /** Of what a classifier of sequences reads. */
  seq_classif_dropout: number;
  /** Of what the scores of answers are made from. */
  qa_dropout: number;
}

const layer = 'distilbert.transformer.layer.#';

/**
 * DistilBERT: BERT without token types and pooler, of half as many layers.
 *
 * @see Sanh et al. 2019, https://arxiv.org/abs/1910.01108
 */
export const distilBert: ModelFamily<DistilBertConfig> = encoderFamily<DistilBertConfig>({
  modelType: 'distilbert',
  className: 'DistilBert',
  shape: {
    vocab_size: size.default(30522),
    num_hidden_layers: depth.default(6),
    intermediate_size: undefined,
    hidden_dim: size.default(3072),
    hidden_act: undefined,
    activation: activation('gelu'),
    hidden_dropout_prob: undefined,
    dropout: rate.default(0.1),
    attention_probs_dropout_prob: undefined,
    attention_dropout: rate.default(0.1),
    seq_classif_dropout: rate.default(0.2),
    qa_dropout: rate.default(0.1),
    layer_norm_eps: undefined,
    // A table of sines that does not learn.
    sinusoidal_pos_embds: z.literal(false).default(false),
  },
  names: {
    aliases: {
      dim: 'hidden_size',
      n_heads: 'num_attention_heads',
      n_layers: 'num_hidden_layers',
    },
  },
  heads: {
    Model: () => ({ kind: 'none' }),
    ForMaskedLM: maskedHead,
    ForSequenceClassification: (config) => ({
      kind: 'sequence-classification',
      labels: labelCount(config),
      pooler: { activation: 'relu' },
      dropout: config.seq_classif_dropout,
      bias: true,
    }),
    ForTokenClassification: (config) => tokenClasses(config, config.dropout),
    ForQuestionAnswering: (config) => ({ kind: 'question-answering', dropout: config.qa_dropout }),
  },
  parts: (config, bert) => ({
    ...bert,
    embedding: { ...bert.embedding, dropout: config.dropout },
    heads: { ...bert.heads, dropout: config.attention_dropout },
    norm: { kind: 'layer', epsilon: 1e-12 },
    feedForward: {
      kind: 'plain',
      hidden: config.hidden_dim,
      activation: activationOf(config.activation),
      bias: true,
    },
    dropout: { attention: 0, feedForward: config.dropout },
  }),
  keys: (_, kind) => [
    ['tokens', 'distilbert.embeddings.word_embeddings'],
    ['positions', 'distilbert.embeddings.position_embeddings'],
    ['embeddingNorm', 'distilbert.embeddings.LayerNorm'],
    ['blocks.#.attn.qProj', `${layer}.attention.q_lin`],
    ['blocks.#.attn.kProj', `${layer}.attention.k_lin`],
    ['blocks.#.attn.vProj', `${layer}.attention.v_lin`],
    ['blocks.#.attn.outProj', `${layer}.attention.out_lin`],
    ['blocks.#.norm1', `${layer}.sa_layer_norm`],
    ['blocks.#.mlp.up', `${layer}.ffn.lin1`],
    ['blocks.#.mlp.down', `${layer}.ffn.lin2`],
    ['blocks.#.norm2', `${layer}.output_layer_norm`],
    ['head.dense', 'vocab_transform'],
    ['head.norm', 'vocab_layer_norm'],
    ['head.decoder', 'vocab_projector'],
    ['head', 'vocab_projector'],
    ['pooler', 'pre_classifier'],
    ['score', kind === 'ForQuestionAnswering' ? 'qa_outputs' : 'classifier'],
  ],
  keyPrefix: 'distilbert.',
  copies: [['vocab_projector.weight', 'distilbert.embeddings.word_embeddings.weight']],
});
