import { InputError, quoted } from '@headwise/core';
import { z } from 'zod';
import type { ModelConfiguration } from '../build/model-configuration.js';
import type { KeyCopy, KeyTable, ModelFamily } from '../family.js';
import { architecture, depth, rate, size } from '../fields.js';
import { settings } from './shared/settings.js';

/** Hugging Face's `TransfoXLConfig`, of its releases before 5; other keys are kept as they are. */
export interface TransformerXLConfig {
  [key: string]: unknown;
  model_type: 'transfo-xl';
  /** `V` */
  vocab_size: number;
  /** The first token of each cluster but the first; none: a plain softmax. */
  cutoffs: number[];
  /** How much narrower each cluster is than the one before. */
  div_val: number;
  /** `D` */
  d_model: number;
  /** The width of the first cluster's embeddings. */
  d_embed: number;
  /** `H` */
  n_head: number;
  /** `Dh` */
  d_head: number;
  /** `F` */
  d_inner: number;
  /** `L` */
  n_layer: number;
  pre_lnorm: boolean;
  /** How many hidden states the memory keeps: `new SegmentMemory(mem_len)`. */
  mem_len: number;
  /** Distances beyond it count as it; −1: none. */
  clamp_len: number;
  /** Whether every query sees `mem_len` tokens at most. */
  same_length: boolean;
  /** Whether each layer has a `u` and a `v` of its own. */
  untie_r: boolean;
  /** Which clusters' projections are the embedding's. */
  tie_projs: boolean[];
  dropout: number;
  dropatt: number;
  init_std: number;
  layer_norm_epsilon: number;
}

type Written = TransformerXLConfig & { proj_share_all_but_first: boolean };

const own = settings<Written>(
  {
    model_type: z.literal('transfo-xl').default('transfo-xl'),
    architectures: architecture('TransfoXLModel', 'TransfoXLLMHeadModel'),
    vocab_size: size.default(267735),
    cutoffs: z.array(size).default([20000, 40000, 200000]),
    div_val: size.default(4),
    d_model: size.default(1024),
    d_embed: size.default(1024),
    n_head: size.default(16),
    d_head: size.default(64),
    d_inner: size.default(4096),
    n_layer: depth.default(18),
    pre_lnorm: z.boolean().default(false),
    mem_len: size.default(1600),
    clamp_len: z.number().int().default(1000),
    same_length: z.boolean().default(true),
    untie_r: z.boolean().default(true),
    tie_projs: z.array(z.boolean()).optional(),
    proj_share_all_but_first: z.boolean().default(true),
    dropout: rate.default(0.1),
    dropatt: rate.default(0),
    init_std: z.number().nonnegative().default(0.02),
    layer_norm_epsilon: z.number().positive().default(1e-5),
    // Variants that are not built: refused, not ignored.
    attn_type: z.literal(0).default(0),
    sample_softmax: z.number().int().max(0).default(-1),
    tie_word_embeddings: z.literal(true).default(true),
  },
  {
    // As its class of transformers' releases before 5 has it.
    aliases: {
      n_token: 'vocab_size',
      tie_weight: 'tie_word_embeddings',
      hidden_size: 'd_model',
      num_attention_heads: 'n_head',
      num_hidden_layers: 'n_layer',
    },
    kept: [
      'adaptive',
      'init',
      'init_range',
      'proj_init_std',
      'tie_encoder_decoder',
      'tgt_len',
      'ext_len',
    ],
  },
);

/** Fills in which projections are tied, and throws for what is not built or does not fit. */
function completed(
  { proj_share_all_but_first: shared, ...config }: Written,
  name: string,
): TransformerXLConfig {
  const { cutoffs, div_val } = config;
  const given = config.tie_projs as boolean[] | undefined;
  const tie_projs = given ?? [false, ...cutoffs.map(() => shared)];
  if (cutoffs.length > 0 && div_val === 1) {
    throw new InputError(
      `${name}: 'div_val' is 1: clusters of one width are not built; expected at least 2, or no 'cutoffs'`,
    );
  }
  if (tie_projs.length !== cutoffs.length + 1) {
    throw new InputError(
      `${name}: 'tie_projs' is ${quoted(tie_projs)}: expected one entry more than 'cutoffs' has`,
    );
  }
  return { ...config, tie_projs };
}

function preset(config: TransformerXLConfig): ModelConfiguration {
  const { d_model: dim, clamp_len: clamp } = config;
  return {
    model_type: 'headwise',
    topology: 'decoder',
    vocabSize: config.vocab_size,
    // The model has no limit of its own: a memory, and a segment as long.
    maxLength: 2 * config.mem_len,
    dim,
    layers: config.n_layer,
    embedding: {
      scale: Math.sqrt(dim),
      adaptive: { width: config.d_embed, cutoffs: config.cutoffs, divisor: config.div_val },
      dropout: config.dropout,
    },
    position: {
      kind: 'transformer-xl',
      maxDistance: clamp > 0 ? clamp : undefined,
      sharedBiases: !config.untie_r,
    },
    heads: {
      count: config.n_head,
      dim: config.d_head,
      projection: 'fused',
      window: config.same_length ? config.mem_len : null,
      dropout: config.dropatt,
    },
    norm: { kind: 'layer', epsilon: config.layer_norm_epsilon },
    feedForward: { kind: 'plain', hidden: config.d_inner, activation: 'relu', bias: true },
    block: config.pre_lnorm ? 'pre-norm' : 'post-norm',
    finalNorm: false,
    dropout: config.dropout,
    head: { kind: 'adaptive', tied: config.tie_projs },
    layout: 'out-in',
    init: { std: config.init_std },
  };
}

const keys: KeyTable = [
  ['tokens.tables.#', 'transformer.word_emb.emb_layers.#'],
  ['tokens.projections.#.weight', 'transformer.word_emb.emb_projs.#'],
  ['positions.u', 'transformer.r_w_bias'],
  ['positions.v', 'transformer.r_r_bias'],
  ['blocks.#.norm1', 'transformer.layers.#.dec_attn.layer_norm'],
  ['blocks.#.attn.qkv', 'transformer.layers.#.dec_attn.qkv_net'],
  ['blocks.#.attn.position.u', 'transformer.layers.#.dec_attn.r_w_bias'],
  ['blocks.#.attn.position.v', 'transformer.layers.#.dec_attn.r_r_bias'],
  ['blocks.#.attn.position.R', 'transformer.layers.#.dec_attn.r_net'],
  ['blocks.#.attn.outProj', 'transformer.layers.#.dec_attn.o_net'],
  ['blocks.#.norm2', 'transformer.layers.#.pos_ff.layer_norm'],
  ['blocks.#.mlp.up', 'transformer.layers.#.pos_ff.CoreNet.0'],
  ['blocks.#.mlp.down', 'transformer.layers.#.pos_ff.CoreNet.3'],
  ['head.tables.#', 'crit.out_layers.#'],
  ['head.projections.#.weight', 'crit.out_projs.#'],
  ['head.clusters.weight', 'crit.cluster_weight'],
  ['head.clusters.bias', 'crit.cluster_bias'],
];

/**
 * Transformer-XL: a decoder that recurs over segments, with relative positions and an adaptive or a plain softmax.
 *
 * What came before is given as `ctx.memory`, a `SegmentMemory` of `mem_len` states; its output is log-probabilities.
 *
 * @see Dai et al. 2019, https://arxiv.org/abs/1901.02860
 */
export const transformerXL: ModelFamily<TransformerXLConfig> = {
  modelType: 'transfo-xl',
  parseConfig: (json, name = 'config.json') => completed(own.parse(json, name), name),
  settings: own,
  configJson: (config) => ({ architectures: ['TransfoXLLMHeadModel'], ...config }),
  preset,
  keys: () => keys,
  buffers: ({ d_model: dim }) => ({
    'transformer.pos_emb.inv_freq': {
      shape: [dim / 2],
      values: () => Float32Array.from({ length: dim / 2 }, (_, i) => 10000 ** ((-2 * i) / dim)),
    },
  }),
  keyPrefix: 'transformer.',
  copies: ({ cutoffs, tie_projs }) => {
    const clusters = [0, ...cutoffs].map((_, i) => i);
    const tables = clusters.map(
      (i): KeyCopy => [
        `crit.out_layers.${i}.weight`,
        `transformer.word_emb.emb_layers.${i}.weight`,
      ],
    );
    const projections = clusters
      .filter((i) => tie_projs[i])
      .map((i): KeyCopy => [`crit.out_projs.${i}`, `transformer.word_emb.emb_projs.${i}`]);
    return [...tables, ...projections];
  },
  ignoredKeys: /\.pos_emb\.inv_freq$/,
};
