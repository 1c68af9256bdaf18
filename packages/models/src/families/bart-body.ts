import { CrossAttention, causal, MultiHeadAttention } from '@headwise/attention';
import { type Layer, normal, type ParamStore, zeros } from '@headwise/core';
import { Dropout, Embedding, FeedForward, LayerNorm } from '@headwise/layers';
import { CrossDecoder, Encoder, PostNormBlock, PostNormCrossBlock } from '@headwise/transformer';
import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import type { KeyCopy, KeyTable } from '../family.js';
import { depth, rate, size } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import { type Settings, settings } from './shared/settings.js';

/** What the configurations of BART and of Marian have in common; other keys are kept as they are. */
export interface BartSizes {
  [key: string]: unknown;
  /** `V` */
  vocab_size: number;
  /** `D` */
  d_model: number;
  encoder_layers: number;
  /** Divides `d_model`, as `decoder_attention_heads` does. */
  encoder_attention_heads: number;
  encoder_ffn_dim: number;
  decoder_layers: number;
  decoder_attention_heads: number;
  decoder_ffn_dim: number;
  activation_function: ActivationName;
  /** Of embeddings and of what is added to the residual stream. */
  dropout: number;
  /** Of attention weights. */
  attention_dropout: number;
  /** Of the hidden values of feed-forward layers. */
  activation_dropout: number;
  max_position_embeddings: number;
  /** Whether embeddings are multiplied by `√D`. */
  scale_embedding: boolean;
  /** The standard deviation of the initial weights. */
  init_std: number;
  pad_token_id: number;
  decoder_start_token_id: number;
}

const shared = {
  max_position_embeddings: size.default(1024),
  encoder_layers: depth.default(12),
  encoder_ffn_dim: size.default(4096),
  encoder_attention_heads: size.default(16),
  decoder_layers: depth.default(12),
  decoder_ffn_dim: size.default(4096),
  decoder_attention_heads: size.default(16),
  activation_function: activation('gelu'),
  d_model: size.default(1024),
  dropout: rate.default(0.1),
  attention_dropout: rate.default(0),
  activation_dropout: rate.default(0),
  init_std: z.number().nonnegative().default(0.02),
  scale_embedding: z.boolean().default(false),
  // Variants that these files do not build: refused, not ignored.
  is_encoder_decoder: z.literal(true).default(true),
  is_decoder: z.literal(false).default(false),
  tie_word_embeddings: z.literal(true).default(true),
  encoder_layerdrop: z.literal(0).default(0),
  decoder_layerdrop: z.literal(0).default(0),
  normalize_before: z.literal(false).optional(),
  add_final_layer_norm: z.literal(false).optional(),
  quantization_config: z.null().optional(),
};

/** The settings of a family that has the shared ones and some of its own. */
export function bartSettings<C extends BartSizes>(own: Record<string, z.ZodType>): Settings<C> {
  return settings<C>(
    { ...shared, ...own },
    {
      aliases: {
        num_attention_heads: 'encoder_attention_heads',
        hidden_size: 'd_model',
        num_hidden_layers: 'encoder_layers',
      },
      kept: [
        'add_bias_logits',
        'classif_dropout',
        'classifier_dropout',
        'extra_pos_embeddings',
        'force_bos_token_to_be_generated',
      ],
    },
  );
}

/**
 * Gives a configuration back whose heads divide its width.
 *
 * @throws InputError with both sizes
 */
export function checkBartSizes<C extends BartSizes>(config: C, name: string): C {
  for (const heads of ['encoder_attention_heads', 'decoder_attention_heads'] as const) {
    checkDivides(name, 'd_model', config.d_model, heads, config[heads]);
  }
  return config;
}

/** The table of tokens that encoder, decoder and head share, and what is done with it. */
export class SharedEmbedding {
  readonly #table: Embedding;
  readonly #bias: tf.Tensor;
  readonly #scale: number;
  readonly #vocabSize: number;

  constructor(params: ParamStore, config: BartSizes) {
    const { vocab_size: count, d_model: dim, pad_token_id: padId, init_std } = config;
    const init = normal(init_std);
    this.#table = new Embedding(params.at('tokens'), { count, dim, padId, init });
    this.#bias = params.get('logitsBias', [1, count], zeros);
    this.#scale = config.scale_embedding ? Math.sqrt(dim) : 1;
    this.#vocabSize = count;
  }

  /** `E_t √D`, or `E_t`. @param ids `[B, T]` @returns `[B, T, D]` */
  forward(ids: tf.Tensor): tf.Tensor {
    const x = this.#table.forward(ids);
    return this.#scale === 1 ? x : x.mul(this.#scale);
  }

  /** `x Eᵀ + b`. @param x `[B, T, D]` @returns `[B, T, V]` */
  scores(x: tf.Tensor): tf.Tensor {
    return this.#table.scores(x, this.#bias.reshape<tf.Tensor1D>([this.#vocabSize]));
  }
}

/** The dropout of embeddings and of what is added to the residual stream. */
export const bartDropout = ({ dropout }: BartSizes): Layer => new Dropout({ rate: dropout });

const attentionOptions = (config: BartSizes, heads: number) => ({
  dim: config.d_model,
  heads,
  layout: 'out-in' as const,
  dropout:
    config.attention_dropout > 0 ? new Dropout({ rate: config.attention_dropout }) : undefined,
  outInit: normal(config.init_std),
});

function feedForward(params: ParamStore, config: BartSizes, hidden: number): Layer {
  const { activation_function, activation_dropout } = config;
  return new FeedForward(params, {
    dim: config.d_model,
    hidden,
    activation: activationOf(activation_function),
    layout: 'out-in',
    dropout: new Dropout({ rate: activation_dropout }),
    init: normal(config.init_std),
  });
}

/** The post-norm blocks of the encoder; parameters are named `encoder.blocks.0` … */
export function bartEncoder(params: ParamStore, config: BartSizes): Encoder {
  const { d_model: dim } = config;
  const blocks = Array.from({ length: config.encoder_layers }, (_, i) => {
    const p = params.at('encoder.blocks').at(i);
    return new PostNormBlock({
      mix: new MultiHeadAttention(
        p.at('attn'),
        attentionOptions(config, config.encoder_attention_heads),
      ),
      norm1: new LayerNorm(p.at('norm1'), { dim }),
      mlp: feedForward(p.at('mlp'), config, config.encoder_ffn_dim),
      norm2: new LayerNorm(p.at('norm2'), { dim }),
      dropout: bartDropout(config),
      path: p.path,
    });
  });
  return new Encoder({ blocks });
}

/** The post-norm blocks of the decoder; parameters are named `decoder.blocks.0` … */
export function bartDecoder(params: ParamStore, config: BartSizes): CrossDecoder {
  const { d_model: dim, decoder_attention_heads } = config;
  const blocks = Array.from({ length: config.decoder_layers }, (_, i) => {
    const p = params.at('decoder.blocks').at(i);
    const options = attentionOptions(config, decoder_attention_heads);
    return new PostNormCrossBlock({
      mix: new MultiHeadAttention(p.at('attn'), { ...options, mask: causal }),
      norm1: new LayerNorm(p.at('norm1'), { dim }),
      cross: new CrossAttention(p.at('cross'), options),
      crossNorm: new LayerNorm(p.at('crossNorm'), { dim }),
      mlp: feedForward(p.at('mlp'), config, config.decoder_ffn_dim),
      norm2: new LayerNorm(p.at('norm2'), { dim }),
      dropout: bartDropout(config),
      path: p.path,
    });
  });
  return new CrossDecoder({ blocks });
}

const attentionKeys = (ours: string, theirs: string): KeyTable => [
  [`${ours}.qProj`, `${theirs}.q_proj`],
  [`${ours}.kProj`, `${theirs}.k_proj`],
  [`${ours}.vProj`, `${theirs}.v_proj`],
  [`${ours}.outProj`, `${theirs}.out_proj`],
];

const blockKeys = (side: 'encoder' | 'decoder'): KeyTable => [
  ...attentionKeys(`${side}.blocks.#.attn`, `model.${side}.layers.#.self_attn`),
  [`${side}.blocks.#.norm1`, `model.${side}.layers.#.self_attn_layer_norm`],
  [`${side}.blocks.#.mlp.up`, `model.${side}.layers.#.fc1`],
  [`${side}.blocks.#.mlp.down`, `model.${side}.layers.#.fc2`],
  [`${side}.blocks.#.norm2`, `model.${side}.layers.#.final_layer_norm`],
];

/** Where the parameters that BART and Marian have in common lie. */
export const bartKeys: KeyTable = [
  ['tokens', 'model.shared'],
  ['logitsBias', 'final_logits_bias'],
  ...blockKeys('encoder'),
  ...blockKeys('decoder'),
  ...attentionKeys('decoder.blocks.#.cross', 'model.decoder.layers.#.encoder_attn'),
  ['decoder.blocks.#.crossNorm', 'model.decoder.layers.#.encoder_attn_layer_norm'],
];

/** What repeats the shared table. */
export const bartCopies: readonly KeyCopy[] = [
  ['model.encoder.embed_tokens.weight', 'model.shared.weight'],
  ['model.decoder.embed_tokens.weight', 'model.shared.weight'],
  ['lm_head.weight', 'model.shared.weight'],
];
