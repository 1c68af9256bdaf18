import { MultiHeadAttention } from '@headwise/attention';
import {
  checkShape,
  type EncoderContext,
  type EncoderModel,
  normal,
  type ParamStore,
  tapped,
} from '@headwise/core';
import { Dropout, Embedding, FeedForward, LayerNorm } from '@headwise/layers';
import { checkPositions } from '@headwise/positions';
import { Encoder, PostNormBlock } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { Classifier, type EncoderHead, MaskedLanguageHead, Pooler } from '../build/heads.js';
import type { Held, KeyTable } from '../family.js';
import { classes, depth, rate, size } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { type ActivationName, activation, activationOf } from './shared/activations.js';
import { paddingRow } from './shared/decoder-head.js';
import { type Settings, settings } from './shared/settings.js';

/** What the configurations of BERT and of RoBERTa have in common; other keys are kept as they are. */
export interface BertSizes {
  [key: string]: unknown;
  /** `V` */
  vocab_size: number;
  /** `D`, divisible by `num_attention_heads`. */
  hidden_size: number;
  /** `L` */
  num_hidden_layers: number;
  /** `H` */
  num_attention_heads: number;
  /** `F` */
  intermediate_size: number;
  hidden_act: ActivationName;
  hidden_dropout_prob: number;
  attention_probs_dropout_prob: number;
  /** Of what a classifier reads; null: `hidden_dropout_prob`. */
  classifier_dropout: number | null;
  /** The number of rows in the table of positions. */
  max_position_embeddings: number;
  /** The number of token types. */
  type_vocab_size: number;
  /** The standard deviation of the initial weights. */
  initializer_range: number;
  layer_norm_eps: number;
  /** The names of the classes of a classifier. */
  id2label?: Record<string, string> | null | undefined;
  /** Their number, where they have no names; default 2. */
  num_labels?: number | undefined;
  /** Whether the head of masked tokens has the embeddings' weights. */
  tie_word_embeddings: boolean;
  /** Whether the bare model makes one vector of the first token, as transformers' constructor asks; default true. */
  add_pooling_layer: boolean;
  pad_token_id: number | null;
}

/** The settings that BERT and RoBERTa share, with Hugging Face's defaults. */
const shared = {
  hidden_size: size.default(768),
  num_hidden_layers: depth.default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  hidden_act: activation('gelu'),
  hidden_dropout_prob: rate.default(0.1),
  attention_probs_dropout_prob: rate.default(0.1),
  classifier_dropout: rate.nullable().default(null),
  max_position_embeddings: size.default(512),
  type_vocab_size: size.default(2),
  initializer_range: z.number().nonnegative().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-12),
  ...classes,
  add_pooling_layer: z.boolean().default(true),
  // Variants that these files do not build: refused, not ignored.
  is_decoder: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().default(true),
  position_embedding_type: z.literal('absolute').optional(),
  quantization_config: z.null().optional(),
};

/** The settings of a family that has the shared ones and some of its own. */
export function bertSettings<C extends BertSizes>(own: Record<string, z.ZodType>): Settings<C> {
  return settings<C>({ ...shared, ...own }, { kept: ['position_ids'] });
}

export interface BertBodyOptions {
  /** Adds a vector for each position to embeddings `[B, T, D]` of the ids `[B, T]`. */
  positions: (x: tf.Tensor, ids: tf.Tensor, ctx?: EncoderContext) => tf.Tensor;
  /** The id of padding, whose embedding learns nothing. */
  padId: number | undefined;
  maxLength: number;
}

/**
 * What BERT and RoBERTa are below their heads: `norm(E_t + P_t + S_t)`, then post-norm blocks.
 *
 * Taps: `embedded`, and those of the blocks.
 */
export class BertBody {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly tokens: Embedding;
  readonly #options: BertBodyOptions;
  readonly #types: Embedding;
  readonly #norm: LayerNorm;
  readonly #dropout: Dropout;
  readonly #encoder: Encoder;

  constructor(params: ParamStore, config: BertSizes, options: BertBodyOptions) {
    const { hidden_size: dim, vocab_size, type_vocab_size, layer_norm_eps: epsilon } = config;
    const { padId } = options;
    const init = normal(config.initializer_range);
    this.vocabSize = vocab_size;
    this.maxLength = options.maxLength;
    this.#options = options;
    this.tokens = new Embedding(params.at('tokens'), { count: vocab_size, dim, padId, init });
    this.#types = new Embedding(params.at('tokenTypes'), {
      name: 'token type',
      count: type_vocab_size,
      dim,
      init,
    });
    this.#norm = new LayerNorm(params.at('embeddingNorm'), { dim, epsilon });
    this.#dropout = new Dropout({ rate: config.hidden_dropout_prob });
    this.#encoder = new Encoder({
      blocks: Array.from({ length: config.num_hidden_layers }, (_, i) =>
        bertBlock(params.at('blocks').at(i), config),
      ),
    });
  }

  /** @param ids `[B, T]`, int32 @returns `[B, T, D]` */
  forward(ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor {
    checkShape('ids', ids.shape, ['B', 'T']);
    checkPositions(0, ids.shape[1]!, this.maxLength);
    const { tokenTypes } = ctx ?? {};
    if (tokenTypes) checkShape('tokenTypes', tokenTypes.shape, ids.shape);
    return tf.tidy(() => {
      const types = this.#types.forward(tokenTypes ?? tf.zeros([1, 1], 'int32'), ctx);
      const typed = this.tokens.forward(ids, ctx).add(types);
      const x = this.#options.positions(typed, ids, ctx);
      const embedded = this.#dropout.forward(this.#norm.forward(x, ctx), ctx);
      return this.#encoder.forward(tapped(ctx, '', 'embedded', embedded), ctx);
    });
  }
}

function bertBlock(params: ParamStore, config: BertSizes): PostNormBlock {
  const { hidden_size: dim, layer_norm_eps: epsilon, attention_probs_dropout_prob } = config;
  const init = normal(config.initializer_range);
  return new PostNormBlock({
    norm1: new LayerNorm(params.at('norm1'), { dim, epsilon }),
    mix: new MultiHeadAttention(params.at('attn'), {
      dim,
      heads: config.num_attention_heads,
      layout: 'out-in',
      dropout:
        attention_probs_dropout_prob > 0
          ? new Dropout({ rate: attention_probs_dropout_prob })
          : undefined,
      outInit: init,
    }),
    norm2: new LayerNorm(params.at('norm2'), { dim, epsilon }),
    mlp: new FeedForward(params.at('mlp'), {
      dim,
      hidden: config.intermediate_size,
      activation: activationOf(config.hidden_act),
      layout: 'out-in',
      init,
    }),
    dropout: new Dropout({ rate: config.hidden_dropout_prob }),
    path: params.path,
  });
}

/** An encoder of BERT's kind under a head. */
export class BertModel implements EncoderModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly #body: BertBody;
  readonly #head: EncoderHead;

  constructor(body: BertBody, head: EncoderHead) {
    this.vocabSize = body.vocabSize;
    this.maxLength = body.maxLength;
    this.#body = body;
    this.#head = head;
  }

  /** @param ids `[B, T]`, int32 @returns `[B, T, D]` */
  encode(ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor {
    return this.#body.forward(ids, ctx);
  }

  /** @param ids `[B, T]`, int32 @returns what the head gives, by name */
  forward(ids: tf.Tensor, ctx?: EncoderContext): tf.NamedTensorMap {
    return tf.tidy(() => this.#head(this.encode(ids, ctx), ctx));
  }
}

/**
 * Gives a configuration back whose heads divide its width, and whose padding is a token.
 *
 * @throws InputError with both numbers
 */
export function checkBertSizes<C extends BertSizes>(config: C, name: string): C {
  const { hidden_size, num_attention_heads } = config;
  checkDivides(name, 'hidden_size', hidden_size, 'num_attention_heads', num_attention_heads);
  paddingRow(config.pad_token_id, config.vocab_size, name);
  return config;
}

/** A head for the hidden states of a body, whose table of tokens it may share. */
export type HeadMaker<Config> = (params: ParamStore, config: Config, body: BertBody) => EncoderHead;

/** What makes one vector of the first token; its input is dropped at a rate. */
export function makePooler(params: ParamStore, config: BertSizes, dropout = 0): Pooler {
  const { hidden_size: dim, initializer_range } = config;
  return new Pooler(params, { dim, dropout, init: normal(initializer_range) });
}

/** A classifier by its path. */
export function classifier(
  params: ParamStore,
  config: BertSizes,
  count: number,
  dropout: number = config.classifier_dropout ?? config.hidden_dropout_prob,
): Classifier {
  const init = normal(config.initializer_range);
  return new Classifier(params, { dim: config.hidden_size, labels: count, dropout, init });
}

/** The head that says what masked tokens were. */
export function maskedLanguageHead(
  params: ParamStore,
  config: BertSizes,
  tokens: Embedding,
  name: ActivationName = config.hidden_act,
): MaskedLanguageHead {
  return new MaskedLanguageHead(params, {
    dim: config.hidden_size,
    vocabSize: config.vocab_size,
    tokens: config.tie_word_embeddings ? tokens : undefined,
    activation: activationOf(name),
    epsilon: config.layer_norm_eps,
    init: normal(config.initializer_range),
  });
}

/** The first checkpoints, converted from TensorFlow's, call a norm's weight and bias `gamma` and `beta`. */
export const oldBertKey = (key: string): string =>
  key
    .replace(/LayerNorm\.weight$/, 'LayerNorm.gamma')
    .replace(/LayerNorm\.bias$/, 'LayerNorm.beta');

/** Where the parameters of BERT's and RoBERTa's bodies lie, below a prefix. */
export function bertKeys(prefix: string): KeyTable {
  const layer = `${prefix}encoder.layer.#`;
  return [
    ['tokens', `${prefix}embeddings.word_embeddings`],
    ['positions', `${prefix}embeddings.position_embeddings`],
    ['tokenTypes', `${prefix}embeddings.token_type_embeddings`],
    ['embeddingNorm', `${prefix}embeddings.LayerNorm`],
    ['blocks.#.attn.qProj', `${layer}.attention.self.query`],
    ['blocks.#.attn.kProj', `${layer}.attention.self.key`],
    ['blocks.#.attn.vProj', `${layer}.attention.self.value`],
    ['blocks.#.attn.outProj', `${layer}.attention.output.dense`],
    ['blocks.#.norm1', `${layer}.attention.output.LayerNorm`],
    ['blocks.#.mlp.up', `${layer}.intermediate.dense`],
    ['blocks.#.mlp.down', `${layer}.output.dense`],
    ['blocks.#.norm2', `${layer}.output.LayerNorm`],
    ['pooler', `${prefix}pooler.dense`],
  ];
}

/**
 * A configuration as its checkpoint's tensors have it: without a pooler that is not there, and with a head of its own
 * where that differs from the embeddings.
 *
 * @param bare whether it has no head
 */
export function fittedBert<C extends BertSizes>(
  config: C,
  { has, differing }: Held,
  bare: boolean,
): C {
  return {
    ...config,
    ...(bare && !has('pooler.dense.weight') ? { add_pooling_layer: false } : {}),
    ...(differing.length > 0 ? { tie_word_embeddings: false } : {}),
  };
}

/** The bare model's outputs: its hidden states, and one vector for the first token where there is a pooler. */
export function bareHead(params: ParamStore, config: BertSizes): EncoderHead {
  if (!config.add_pooling_layer) return (hidden) => ({ hidden });
  const pooler = makePooler(params.at('pooler'), config);
  return (hidden, ctx) => ({ hidden, pooled: pooler.forward(hidden, ctx) });
}
