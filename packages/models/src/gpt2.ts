import { causal, FusedProjection, MultiHeadAttention } from '@headwise/attention';
import {
  type ForwardContext,
  type LanguageModel,
  type MatrixHead,
  normal,
  type ParamStore,
  tapped,
} from '@headwise/core';
import {
  type Activation,
  Dropout,
  Embedding,
  FeedForward,
  LayerNorm,
  Linear,
} from '@headwise/layers';
import { LearnedPosition } from '@headwise/positions';
import { Decoder, PreNormBlock } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { checkDivides, parseWith, rate, size } from './config.js';
import type { ModelFamily } from './family.js';

/** Hugging Face's `GPT2Config`; other keys are kept as they are. */
export interface GPT2Config {
  [key: string]: unknown;
  model_type: 'gpt2';
  /** `V` */
  vocab_size: number;
  /** The longest sequence. */
  n_positions: number;
  /** `D`, divisible by `n_head`. */
  n_embd: number;
  /** `L` */
  n_layer: number;
  /** `H` */
  n_head: number;
  /** `F`; null or absent: `4 D`. */
  n_inner?: number | null | undefined;
  activation_function: Activation;
  embd_pdrop: number;
  resid_pdrop: number;
  attn_pdrop: number;
  layer_norm_epsilon: number;
  /** The standard deviation of the initial weights. */
  initializer_range: number;
  tie_word_embeddings: boolean;
}

const schema: z.ZodType<GPT2Config> = z.looseObject({
  model_type: z.literal('gpt2').default('gpt2'),
  vocab_size: size.default(50257),
  n_positions: size.default(1024),
  n_embd: size.default(768),
  n_layer: size.default(12),
  n_head: size.default(12),
  n_inner: size.nullish(),
  activation_function: z.enum(['gelu_new', 'gelu', 'relu', 'silu']).default('gelu_new'),
  embd_pdrop: rate.default(0.1),
  resid_pdrop: rate.default(0.1),
  attn_pdrop: rate.default(0.1),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  initializer_range: z.number().nonnegative().default(0.02),
  tie_word_embeddings: z.boolean().default(true),
  // Variants that this file does not build: refused, not ignored.
  scale_attn_weights: z.literal(true).default(true),
  scale_attn_by_inverse_layer_idx: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
});

/**
 * GPT-2: a decoder of pre-norm blocks with learned positions and a head tied to the embeddings.
 *
 * @see Radford et al. 2019, Language Models are Unsupervised Multitask Learners
 * @example
 * const config = gpt2.parseConfig({ vocab_size: 256, n_positions: 64, n_embd: 64, n_layer: 2, n_head: 4 });
 * const params = new ParamStore({ seed: 1 });
 * const logits = new GPT2(params, config).forward(tf.zeros([1, 64], 'int32')); // [1, 64, 256]
 */
export class GPT2 implements LanguageModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly head: MatrixHead;
  readonly #tokens: Embedding;
  readonly #positions: LearnedPosition;
  readonly #dropout: Dropout;
  readonly #decoder: Decoder;
  readonly #scores: (x: tf.Tensor) => tf.Tensor;

  constructor(params: ParamStore, config: GPT2Config) {
    const { n_embd: dim, vocab_size, n_positions, initializer_range } = config;
    const init = normal(initializer_range);
    this.vocabSize = vocab_size;
    this.maxLength = n_positions;
    this.#tokens = new Embedding(params.at('tokens'), { count: vocab_size, dim, init });
    this.#positions = new LearnedPosition(params.at('positions'), { maxLength: n_positions, dim });
    this.#dropout = new Dropout({ rate: config.embd_pdrop });
    this.#decoder = new Decoder({
      blocks: Array.from({ length: config.n_layer }, (_, i) =>
        gpt2Block(params.at('blocks').at(i), config),
      ),
      norm: new LayerNorm(params.at('norm'), { dim, epsilon: config.layer_norm_epsilon }),
    });
    const tied = config.tie_word_embeddings;
    if (tied) {
      this.#scores = (x) => this.#tokens.scores(x);
    } else {
      const options = { in: dim, out: vocab_size, bias: false, layout: 'out-in', init } as const;
      const head = new Linear(params.at('head'), options);
      this.#scores = (x) => head.forward(x);
    }
    const weight = params.at(tied ? 'tokens' : 'head').get('weight', [vocab_size, dim], init);
    this.head = {
      weight: weight as unknown as tf.Tensor2D,
      hidden: (ids, ctx) => this.#hidden(ids, ctx),
    };
  }

  /** @param ids `[B, T]`, int32 @returns logits `[B, T, V]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => tapped(ctx, '', 'logits', this.#scores(this.#hidden(ids, ctx))));
  }

  #hidden(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const embedded = this.#positions.forward(this.#tokens.forward(ids, ctx), ctx); // [B, T, D]
      const x = tapped(ctx, '', 'embedded', this.#dropout.forward(embedded, ctx));
      return tapped(ctx, '', 'hidden', this.#decoder.forward(x, ctx));
    });
  }
}

function gpt2Block(params: ParamStore, config: GPT2Config): PreNormBlock {
  const { n_embd: dim, n_head: heads, n_inner, layer_norm_epsilon: epsilon } = config;
  // What is added to the residual stream starts smaller the deeper the model is.
  const outInit = normal(config.initializer_range / Math.sqrt(2 * config.n_layer));
  return new PreNormBlock({
    norm1: new LayerNorm(params.at('norm1'), { dim, epsilon }),
    mix: new MultiHeadAttention(params.at('attn'), {
      dim,
      heads,
      mask: causal,
      projection: FusedProjection,
      // Attention is fused where nothing drops its weights.
      dropout: config.attn_pdrop > 0 ? new Dropout({ rate: config.attn_pdrop }) : undefined,
      outInit,
    }),
    norm2: new LayerNorm(params.at('norm2'), { dim, epsilon }),
    mlp: new FeedForward(params.at('mlp'), {
      dim,
      hidden: n_inner ?? 4 * dim,
      activation: config.activation_function,
      outInit,
    }),
    dropout: new Dropout({ rate: config.resid_pdrop }),
    path: params.path,
  });
}

/** The family `gpt2` in Hugging Face's layout; its Conv1D weights lie `[in, out]`, as ours do. */
export const gpt2: ModelFamily<GPT2Config> = {
  modelType: 'gpt2',
  parseConfig(json, name = 'config.json') {
    const config = parseWith(schema, json, name);
    checkDivides(name, 'n_embd', config.n_embd, 'n_head', config.n_head);
    return config;
  },
  configJson: (config) => ({ architectures: ['GPT2LMHeadModel'], ...config }),
  build: (params, config) => new GPT2(params, config),
  keyPrefix: 'transformer.',
  keys: [
    ['tokens', 'wte'],
    ['positions', 'wpe'],
    ['blocks.#.norm1', 'h.#.ln_1'],
    ['blocks.#.attn.qkv', 'h.#.attn.c_attn'],
    ['blocks.#.attn.outProj', 'h.#.attn.c_proj'],
    ['blocks.#.norm2', 'h.#.ln_2'],
    ['blocks.#.mlp.up', 'h.#.mlp.c_fc'],
    ['blocks.#.mlp.down', 'h.#.mlp.c_proj'],
    ['norm', 'ln_f'],
    ['head', 'lm_head'],
  ],
  ignoredKeys: /\.attn\.(bias|masked_bias)$|^lm_head\.weight$/,
};
