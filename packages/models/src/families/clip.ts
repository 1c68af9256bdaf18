import { InputError, quoted } from '@headwise/core';
import { z } from 'zod';
import type { EmbeddingHead, ModelConfiguration } from '../build/model-configuration.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { depth, rate, size } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { type ActivationName, activation } from './shared/activations.js';
import { encoderLayers } from './shared/encoder-layers.js';
import { settings } from './shared/settings.js';

/** The settings that both of CLIP's towers have; other keys are kept as they are. */
interface TowerConfig {
  [key: string]: unknown;
  architectures: [string];
  /** `D` */
  hidden_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  intermediate_size: number;
  hidden_act: ActivationName;
  attention_dropout: number;
  /** The standard deviation of the initial weights, of all alike. */
  initializer_range: number;
  layer_norm_eps: number;
}

/** Hugging Face's `CLIPVisionConfig`. */
export interface CLIPVisionConfig extends TowerConfig {
  model_type: 'clip_vision_model';
  architectures: ['CLIPVisionModel' | 'CLIPVisionModelWithProjection'];
  /** Both sides of pictures. */
  image_size: number;
  /** Both sides of patches. */
  patch_size: number;
  num_channels: number;
  /** `E`, of the model with the projection. */
  projection_dim: number;
}

/** Hugging Face's `CLIPTextConfig`. */
export interface CLIPTextConfig extends TowerConfig {
  model_type: 'clip_text_model';
  architectures: ['CLIPTextModel' | 'CLIPTextModelWithProjection'];
  /** `V` */
  vocab_size: number;
  max_position_embeddings: number;
  /** The token whose state stands for a text: the first of it; 2 means the one with the highest id, as in the first files. */
  eos_token_id: number;
  /** `E`, of the model with the projection. */
  projection_dim: number | null;
}

const tower = {
  num_hidden_layers: depth.default(12),
  hidden_act: activation('quick_gelu'),
  attention_dropout: rate.default(0),
  initializer_range: z.number().nonnegative().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-5),
  // Variants that are not built: refused, not ignored.
  initializer_factor: z.literal(1).default(1),
  quantization_config: z.null().optional(),
};

const vision = settings<CLIPVisionConfig>({
  model_type: z.literal('clip_vision_model').default('clip_vision_model'),
  architectures: z
    .tuple([z.enum(['CLIPVisionModel', 'CLIPVisionModelWithProjection'])])
    .default(['CLIPVisionModel']),
  hidden_size: size.default(768),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  ...tower,
  image_size: size.default(224),
  patch_size: size.default(32),
  num_channels: size.default(3),
  projection_dim: size.default(512),
});

const text = settings<CLIPTextConfig>({
  model_type: z.literal('clip_text_model').default('clip_text_model'),
  architectures: z
    .tuple([z.enum(['CLIPTextModel', 'CLIPTextModelWithProjection'])])
    .default(['CLIPTextModel']),
  vocab_size: size.default(49408),
  hidden_size: size.default(512),
  num_attention_heads: size.default(8),
  intermediate_size: size.default(2048),
  ...tower,
  max_position_embeddings: size.default(77),
  eos_token_id: z.number().int().min(0).default(49407),
  projection_dim: size.nullable().default(512),
});

const projects = ({ architectures: [kind] }: TowerConfig): boolean =>
  kind.endsWith('WithProjection');

/** The layers of both towers. */
const shared = (config: TowerConfig) =>
  ({ ...encoderLayers(config, config.attention_dropout), block: 'pre-norm' }) as const;

function visionPreset(config: CLIPVisionConfig): ModelConfiguration {
  const { image_size: side, patch_size: patch, num_channels: channels } = config;
  const head: EmbeddingHead = {
    kind: 'embedding',
    of: 'first',
    norm: true,
    ...(projects(config) ? { width: config.projection_dim } : {}),
  };
  return {
    ...shared(config),
    topology: 'encoder',
    vocabSize: 0,
    maxLength: null,
    embedding: {
      patches: {
        ...{ height: side, width: side, size: [patch, patch], channels },
        ...{ bias: false, table: true },
      },
      norm: true,
    },
    position: { kind: 'none' },
    finalNorm: false,
    head,
  };
}

function textPreset(config: CLIPTextConfig): ModelConfiguration {
  const { eos_token_id: end, projection_dim: width } = config;
  const head: EmbeddingHead = {
    kind: 'embedding',
    of: end === 2 ? 'highest-id' : { id: end },
    ...(projects(config) && width !== null ? { width } : {}),
  };
  return {
    ...shared(config),
    topology: 'decoder',
    vocabSize: config.vocab_size,
    maxLength: config.max_position_embeddings,
    position: { kind: 'learned' },
    head,
  };
}

const blocks = (prefix: string): KeyTable => {
  const layer = `${prefix}.encoder.layers.#`;
  return [
    ['blocks.#.norm1', `${layer}.layer_norm1`],
    ['blocks.#.attn.qProj', `${layer}.self_attn.q_proj`],
    ['blocks.#.attn.kProj', `${layer}.self_attn.k_proj`],
    ['blocks.#.attn.vProj', `${layer}.self_attn.v_proj`],
    ['blocks.#.attn.outProj', `${layer}.self_attn.out_proj`],
    ['blocks.#.norm2', `${layer}.layer_norm2`],
    ['blocks.#.mlp.up', `${layer}.mlp.fc1`],
    ['blocks.#.mlp.down', `${layer}.mlp.fc2`],
  ];
};

const visionKeys: KeyTable = [
  ['classToken', 'vision_model.embeddings.class_embedding'],
  ['places', 'vision_model.embeddings.position_embedding.weight'],
  ['patches', 'vision_model.embeddings.patch_embedding'],
  // So it is spelt in every checkpoint.
  ['embeddingNorm', 'vision_model.pre_layrnorm'],
  ...blocks('vision_model'),
  ['head.norm', 'vision_model.post_layernorm'],
  ['head.projection', 'visual_projection'],
];

const textKeys: KeyTable = [
  ['tokens', 'text_model.embeddings.token_embedding'],
  ['positions', 'text_model.embeddings.position_embedding'],
  ...blocks('text_model'),
  ['norm', 'text_model.final_layer_norm'],
  ['head.projection', 'text_projection'],
];

/** The keys of a tower: without the prefix in the bare model. */
const keysOf = (config: TowerConfig, keys: KeyTable, prefix: string): KeyTable =>
  projects(config)
    ? keys
    : keys.map(([ours, theirs]) => [
        ours,
        theirs.startsWith(prefix) ? theirs.slice(prefix.length) : theirs,
      ]);

const checkHeads = (name: string, { hidden_size: dim, num_attention_heads: heads }: TowerConfig) =>
  checkDivides(name, 'hidden_size', dim, 'num_attention_heads', heads);

/**
 * CLIP's tower of pictures: patches, pre-norm blocks, and the norm of the first state; its projection besides.
 *
 * @see Radford et al. 2021, https://arxiv.org/abs/2103.00020
 */
export const clipVision: ModelFamily<CLIPVisionConfig> = {
  modelType: 'clip_vision_model',
  parseConfig(json, name = 'config.json') {
    const config = vision.parse(json, name);
    checkHeads(name, config);
    checkDivides(name, 'image_size', config.image_size, 'patch_size', config.patch_size);
    return config;
  },
  settings: vision,
  configJson: (config) => ({ ...config }),
  preset: visionPreset,
  keys: (config) => keysOf(config, visionKeys, 'vision_model.'),
  keyPrefix: 'vision_model.',
  ignoredKeys: /^(vision_model\.)?embeddings\.position_ids$/,
};

/**
 * CLIP's tower of texts: causal, and the state of the token that ends a text; its projection besides.
 *
 * @see Radford et al. 2021, https://arxiv.org/abs/2103.00020
 */
export const clipText: ModelFamily<CLIPTextConfig> = {
  modelType: 'clip_text_model',
  parseConfig(json, name = 'config.json') {
    const config = text.parse(json, name);
    checkHeads(name, config);
    const { eos_token_id: end, vocab_size: count } = config;
    if (end >= count && end !== 2) {
      throw new InputError(
        `${name}: 'eos_token_id' is ${end}; expected an id below 'vocab_size' ${count}, as its state stands for a text`,
      );
    }
    if (projects(config) && config.projection_dim === null) {
      throw new InputError(
        `${name}: 'projection_dim' is null; ${config.architectures[0]} has a projection of that width`,
      );
    }
    return config;
  },
  settings: text,
  configJson: (config) => ({ ...config }),
  preset: textPreset,
  keys: (config) => keysOf(config, textKeys, 'text_model.'),
  keyPrefix: 'text_model.',
  ignoredKeys: /^(text_model\.)?embeddings\.position_ids$/,
};

/**
 * Reads one tower of a folder that holds both (`clip`), with its projection: `loadModel(folder, { configure: clipTower('vision') })`.
 * The tensors of the other tower, and `logit_scale`, are then `unusedKeys`.
 *
 * @returns the settings of the tower, from a `config.json` of `CLIPModel`
 * @throws InputError for a configuration of another type, and where the tower's settings are missing
 */
export const clipTower =
  (tower: 'vision' | 'text') =>
  (json: unknown): Record<string, unknown> => {
    const both = json as Record<string, unknown> | null;
    if (both?.model_type !== 'clip') {
      throw new InputError(
        `clipTower: 'model_type' is ${quoted(both?.model_type)}; expected "clip"`,
      );
    }
    // Of the two, the second is above the first, and whole.
    const own = both[`${tower}_config_dict`] ?? both[`${tower}_config`];
    if (typeof own !== 'object' || own === null || Array.isArray(own)) {
      throw new InputError(
        `clipTower: '${tower}_config' is ${quoted(own)}; expected the settings of 'clip_${tower}_model'`,
      );
    }
    return {
      ...own,
      model_type: `clip_${tower}_model`,
      architectures: [
        tower === 'vision' ? 'CLIPVisionModelWithProjection' : 'CLIPTextModelWithProjection',
      ],
      // The towers' own are not read: both projections have one width.
      projection_dim: both.projection_dim ?? 512,
    };
  };
