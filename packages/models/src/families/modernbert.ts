import { z } from 'zod';
import type { KeyTable, ModelFamily } from '../family.js';
import { depth, labelCount, rate, size, tokenId } from '../fields.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import { checkLayerTypes, type LayerType, layerTypes } from './shared/decoder-family.js';
import { type EncoderConfig, encoderFamily, maskedHead } from './shared/encoder-family.js';
import { type LayeredRopeSettings, layeredRopeShape, readLayeredRope } from './shared/rope.js';

/** Hugging Face's `ModernBertConfig`; other keys are kept as they are. */
export interface ModernBertConfig
  extends EncoderConfig,
    Pick<LayeredRopeSettings, 'rope_parameters'> {
  model_type: 'modernbert';
  hidden_activation: ActivationName;
  norm_eps: number;
  norm_bias: boolean;
  /** Of all four projections of attention. */
  attention_bias: boolean;
  mlp_bias: boolean;
  /** Of the embeddings, of attention's weights and output, and of the hidden values. */
  embedding_dropout: number;
  attention_dropout: number;
  mlp_dropout: number;
  layer_types?: readonly LayerType[] | null | undefined;
  /** Where `layer_types` does not say: of so many layers, the first sees all tokens. */
  global_attn_every_n_layers: number;
  /** How far a query sees in the other layers: to half of it on each side. */
  local_attention: number;
  /** Bases of the rotary positions of both types of layers, where `rope_parameters` has none. */
  global_rope_theta?: number | undefined;
  local_rope_theta?: number | undefined;
  /** What a sequence is classified by. */
  classifier_pooling: 'cls' | 'mean';
  classifier_dropout: number;
  classifier_bias: boolean;
  classifier_activation: ActivationName;
}

const off = z.boolean().default(false);
const base = z.number().positive().optional();
const layer = 'model.layers.#';

/** Both halves of the first matrix of the feed-forward layer. */
const half = (index: 0 | 1) => ({ index, of: 2 }) as const;

const keys: KeyTable = [
  ['tokens', 'model.embeddings.tok_embeddings'],
  ['embeddingNorm', 'model.embeddings.norm'],
  ['blocks.#.norm1', `${layer}.attn_norm`],
  ['blocks.#.attn.qkv', `${layer}.attn.Wqkv`],
  ['blocks.#.attn.outProj', `${layer}.attn.Wo`],
  ['blocks.#.norm2', `${layer}.mlp_norm`],
  ['blocks.#.mlp.gate', `${layer}.mlp.Wi`, half(0)],
  ['blocks.#.mlp.up', `${layer}.mlp.Wi`, half(1)],
  ['blocks.#.mlp.down', `${layer}.mlp.Wo`],
  ['norm', 'model.final_norm'],
  ['head.dense', 'head.dense'],
  ['head.norm', 'head.norm'],
  ['head', 'decoder'],
  ['pooler.norm', 'head.norm'],
  ['pooler', 'head.dense'],
  ['transform.norm', 'head.norm'],
  ['transform', 'head.dense'],
  ['score', 'classifier'],
];

/** What every head makes of hidden states first. */
const transform = ({ classifier_activation, classifier_bias: bias }: ModernBertConfig) => ({
  activation: activationOf(classifier_activation),
  bias,
  norm: true,
});

const typesOf = (config: ModernBertConfig): readonly LayerType[] =>
  config.layer_types ??
  Array.from({ length: config.num_hidden_layers }, (_, i) =>
    i % config.global_attn_every_n_layers === 0 ? 'full_attention' : 'sliding_attention',
  );

const ropeOf = (config: ModernBertConfig, name: string) =>
  readLayeredRope(
    {
      rope_parameters: config.rope_parameters,
      rope_theta: config.global_rope_theta,
      rope_local_base_freq: config.local_rope_theta,
    },
    config.max_position_embeddings,
    {
      bases: { global: 160_000, local: 10_000 },
      isLocal: typesOf(config).map((type) => type === 'sliding_attention'),
      name,
    },
  );

/**
 * ModernBERT: an encoder of pre-norm blocks with rotary positions and gated feed-forward layers, without biases; two of three
 * layers see a window, with a rotary base of their own.
 *
 * @see Warner et al. 2024, https://arxiv.org/abs/2412.13663
 */
export const modernBert: ModelFamily<ModernBertConfig> = encoderFamily<ModernBertConfig>({
  modelType: 'modernbert',
  className: 'ModernBert',
  shape: {
    vocab_size: size.default(50368),
    intermediate_size: size.default(1152),
    num_hidden_layers: depth.default(22),
    max_position_embeddings: size.default(8192),
    pad_token_id: tokenId.nullable().default(50283),
    hidden_act: undefined,
    hidden_activation: activation('gelu'),
    layer_norm_eps: undefined,
    norm_eps: z.number().positive().default(1e-5),
    norm_bias: off,
    attention_bias: off,
    mlp_bias: off,
    hidden_dropout_prob: undefined,
    attention_probs_dropout_prob: undefined,
    embedding_dropout: rate.default(0),
    attention_dropout: rate.default(0),
    mlp_dropout: rate.default(0),
    layer_types: layerTypes,
    global_attn_every_n_layers: size.default(3),
    local_attention: size.default(128),
    rope_parameters: layeredRopeShape.rope_parameters,
    rope_scaling: z.null().optional(),
    global_rope_theta: base,
    local_rope_theta: base,
    decoder_bias: z.literal(true).default(true),
    classifier_pooling: z.enum(['cls', 'mean']).default('cls'),
    classifier_dropout: rate.default(0),
    classifier_bias: off,
    classifier_activation: activation('gelu'),
    position_embedding_type: z.literal('absolute').optional(),
  },
  names: {
    // How transformers computes, and how it starts weights.
    kept: [
      ...['initializer_cutoff_factor', 'deterministic_flash_attn', 'reference_compile'],
      ...['repad_logits_with_grad', 'sparse_prediction', 'sparse_pred_ignore_index'],
      ...['cls_token_id', 'layer_norm_eps'],
    ],
  },
  heads: {
    Model: () => ({ kind: 'none' }),
    ForMaskedLM(config) {
      const { norm: _, ...dense } = transform(config);
      return { ...maskedHead(config), ...dense };
    },
    ForSequenceClassification: (config) => ({
      kind: 'sequence-classification',
      labels: labelCount(config),
      pooler: {
        ...transform(config),
        of: config.classifier_pooling === 'mean' ? 'mean' : 'first',
      },
      dropout: config.classifier_dropout,
      bias: true,
    }),
    ForTokenClassification: (config) => ({
      kind: 'token-classification',
      labels: labelCount(config),
      transform: transform(config),
      dropout: config.classifier_dropout,
    }),
    ForQuestionAnswering: (config) => ({
      kind: 'question-answering',
      transform: transform(config),
      dropout: config.classifier_dropout,
    }),
  },
  parts: (config, bert) => ({
    ...bert,
    embedding: { ...bert.embedding, dropout: config.embedding_dropout },
    position: ropeOf(config, 'config.json').position,
    heads: {
      count: config.num_attention_heads,
      bias: { qkv: config.attention_bias, out: config.attention_bias },
      projection: 'fused',
      window: typesOf(config).map((type) =>
        type === 'sliding_attention' ? Math.floor(config.local_attention / 2) + 1 : null,
      ),
      dropout: config.attention_dropout,
    },
    norm: { kind: 'layer', epsilon: config.norm_eps, bias: config.norm_bias },
    feedForward: {
      kind: 'gated',
      hidden: config.intermediate_size,
      activation: activationOf(config.hidden_activation),
      bias: config.mlp_bias,
      dropout: config.mlp_dropout,
    },
    block: 'pre-norm',
    firstNorm: false,
    dropout: { attention: config.attention_dropout, feedForward: 0 },
    init: { std: config.initializer_range, byDepth: true },
  }),
  keys: () => keys,
  keyPrefix: 'model.',
  copies: [['decoder.weight', 'model.embeddings.tok_embeddings.weight']],
  check(config, name) {
    checkLayerTypes(config, name);
    ropeOf(config, name);
  },
});
