import { InputError } from '@headwise/core';
import { z } from 'zod';
import type { HeadPart, ModelConfiguration } from '../build/model-configuration.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { classes, depth, labelCount, rate, size } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { type ActivationName, activation } from './shared/activations.js';
import { encoderLayers } from './shared/encoder-layers.js';
import { settings } from './shared/settings.js';

/** Hugging Face's `ViTConfig`; other keys are kept as they are. */
export interface ViTConfig {
  [key: string]: unknown;
  model_type: 'vit';
  architectures: ['ViTModel' | 'ViTForImageClassification'];
  /** `D` */
  hidden_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  intermediate_size: number;
  hidden_act: ActivationName;
  hidden_dropout_prob: number;
  attention_probs_dropout_prob: number;
  initializer_range: number;
  layer_norm_eps: number;
  /** Of pictures: both sides, or height and width. */
  image_size: number | readonly [number, number];
  /** Of patches: both sides, or height and width. */
  patch_size: number | readonly [number, number];
  num_channels: number;
  /** Whether queries, keys and values have biases. */
  qkv_bias: boolean;
  id2label?: Record<string, string> | null | undefined;
  num_labels?: number | undefined;
}

const sides = z.union([size, z.tuple([size, size])]);

const own = settings<ViTConfig>(
  {
    model_type: z.literal('vit').default('vit'),
    architectures: z
      .tuple([z.enum(['ViTModel', 'ViTForImageClassification'])])
      .default(['ViTModel']),
    hidden_size: size.default(768),
    num_hidden_layers: depth.default(12),
    num_attention_heads: size.default(12),
    intermediate_size: size.default(3072),
    hidden_act: activation('gelu'),
    hidden_dropout_prob: rate.default(0),
    attention_probs_dropout_prob: rate.default(0),
    initializer_range: z.number().nonnegative().default(0.02),
    layer_norm_eps: z.number().positive().default(1e-12),
    image_size: sides.default(224),
    patch_size: sides.default(16),
    num_channels: size.default(3),
    qkv_bias: z.boolean().default(true),
    ...classes,
    // Variants that are not built: refused, not ignored.
    pooler_act: z.literal('tanh').default('tanh'),
    pooler_output_size: size.nullish(),
    quantization_config: z.null().optional(),
  },
  { kept: ['encoder_stride'] },
);

const pair = (sides: number | readonly [number, number]): readonly [number, number] =>
  typeof sides === 'number' ? [sides, sides] : sides;

function headOf(config: ViTConfig): HeadPart {
  return config.architectures[0] === 'ViTModel'
    ? { kind: 'none', pooler: true }
    : { kind: 'sequence-classification', labels: labelCount(config), bias: true };
}

function preset(config: ViTConfig): ModelConfiguration {
  const [height, width] = pair(config.image_size);
  const { hidden_dropout_prob: dropout } = config;
  const patches = { height, width, size: pair(config.patch_size), channels: config.num_channels };
  return {
    ...encoderLayers(config, config.attention_probs_dropout_prob, config.qkv_bias),
    topology: 'encoder',
    vocabSize: 0,
    maxLength: null,
    embedding: { patches, dropout },
    position: { kind: 'none' },
    block: 'pre-norm',
    dropout,
    head: headOf(config),
  };
}

const layer = 'vit.encoder.layer.#';

const keys: KeyTable = [
  ['classToken', 'vit.embeddings.cls_token'],
  ['places', 'vit.embeddings.position_embeddings'],
  ['patches', 'vit.embeddings.patch_embeddings.projection'],
  ['blocks.#.norm1', `${layer}.layernorm_before`],
  ['blocks.#.attn.qProj', `${layer}.attention.attention.query`],
  ['blocks.#.attn.kProj', `${layer}.attention.attention.key`],
  ['blocks.#.attn.vProj', `${layer}.attention.attention.value`],
  ['blocks.#.attn.outProj', `${layer}.attention.output.dense`],
  ['blocks.#.norm2', `${layer}.layernorm_after`],
  ['blocks.#.mlp.up', `${layer}.intermediate.dense`],
  ['blocks.#.mlp.down', `${layer}.output.dense`],
  ['norm', 'vit.layernorm'],
  ['pooler', 'vit.pooler.dense'],
  ['score', 'classifier'],
];

/**
 * ViT: an encoder of pictures, whose tokens are patches.
 *
 * @see Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929
 */
export const vit: ModelFamily<ViTConfig> = {
  modelType: 'vit',
  parseConfig(json, name = 'config.json') {
    const config = own.parse(json, name);
    const { hidden_size: dim, num_attention_heads: heads, pooler_output_size: pooled } = config;
    checkDivides(name, 'hidden_size', dim, 'num_attention_heads', heads);
    const [picture, patch] = [pair(config.image_size), pair(config.patch_size)];
    for (const axis of [0, 1]) {
      checkDivides(name, 'image_size', picture[axis]!, 'patch_size', patch[axis]!);
    }
    if (pooled != null && pooled !== dim) {
      throw new InputError(
        `${name}: 'pooler_output_size' is ${pooled}; expected 'hidden_size' ${dim}`,
      );
    }
    return config;
  },
  settings: own,
  configJson: (config) => ({ ...config }),
  preset,
  keys: ({ architectures: [kind] }) =>
    kind === 'ViTModel' ? keys.map(([ours, theirs]) => [ours, theirs.replace(/^vit\./, '')]) : keys,
  keyPrefix: 'vit.',
  ignoredKeys: /^(vit\.)?embeddings\.mask_token$|^pooler\./,
};
