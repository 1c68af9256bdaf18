import { sinusoidalTable } from '@headwise/positions';
import { z } from 'zod';
import type { ModelConfiguration } from '../build/model-configuration.js';
import { sideOf } from '../build/sides.js';
import type { KeyTable, ModelFamily } from '../family.js';
import { depth, rate, size } from '../fields.js';
import {
  bartPreset,
  bartSettings,
  bartStackKeys,
  checkBartSizes,
  checkEvenWidth,
  type StackSizes,
} from './bart.js';
import { paddingRow } from './shared/decoder-head.js';

/** Hugging Face's `WhisperConfig`; other keys are kept as they are. */
export interface WhisperConfig extends StackSizes {
  model_type: 'whisper';
  architectures: ['WhisperForConditionalGeneration'];
  /** Values of each frame of a sound. */
  num_mel_bins: number;
  /** States of a sound: half as many as it has frames. */
  max_source_positions: number;
  /** The longest text, in tokens. */
  max_target_positions: number;
}

const id = z.number().int().nonnegative();

/** Of training with masked features, of other heads, and of times of words. */
const kept = [
  'begin_suppress_tokens',
  'classifier_proj_size',
  'forced_decoder_ids',
  'mask_feature_length',
  'mask_feature_min_masks',
  'mask_feature_prob',
  'mask_time_length',
  'mask_time_min_masks',
  'mask_time_prob',
  'max_length',
  'median_filter_width',
  'suppress_tokens',
];

const own = bartSettings<WhisperConfig>(
  {
    model_type: z.literal('whisper').default('whisper'),
    // What is saved without a head has one: its weights are the table of tokens.
    architectures: z
      .tuple([z.enum(['WhisperForConditionalGeneration', 'WhisperModel'])])
      .default(['WhisperForConditionalGeneration'])
      .transform(() => ['WhisperForConditionalGeneration']),
    vocab_size: size.default(51865),
    num_mel_bins: size.default(80),
    max_position_embeddings: undefined,
    max_source_positions: size.default(1500),
    max_target_positions: size.default(448),
    d_model: size.default(384),
    encoder_layers: depth.default(4),
    encoder_attention_heads: size.default(6),
    encoder_ffn_dim: size.default(1536),
    decoder_layers: depth.default(4),
    decoder_attention_heads: size.default(6),
    decoder_ffn_dim: size.default(1536),
    dropout: rate.default(0),
    pad_token_id: id.nullable().default(50256),
    bos_token_id: id.nullable().default(50256),
    decoder_start_token_id: id.default(50257),
    untied_embeddings: undefined,
    // Variants that are not built: refused, not ignored. transformers reads the scale, and does not use it.
    scale_embedding: z.literal(false).default(false),
    use_weighted_layer_sum: z.literal(false).default(false),
    apply_spec_augment: z.literal(false).default(false),
  },
  kept,
);

function preset(config: WhisperConfig): ModelConfiguration {
  const { dropout, num_mel_bins: channels, max_source_positions: states } = config;
  const whole = bartPreset(
    { ...config, max_position_embeddings: config.max_target_positions },
    {
      ...{ position: { kind: 'learned' }, norm: false, block: 'pre-norm', bias: false },
      tables: { separate: undefined, tied: config.tie_word_embeddings },
    },
  );
  const heads = { ...whole.heads, bias: { qkv: true, k: false, out: true } };
  const { startId, decoder: _, ...read } = sideOf({ ...whole, heads }, 'encoder');
  const { decoder: __, ...written } = sideOf({ ...whole, heads }, 'decoder');
  return {
    ...written,
    topology: 'encoder-decoder',
    encoder: {
      ...read,
      topology: 'encoder',
      vocabSize: 0,
      maxLength: states,
      embedding: { frames: { count: 2 * states, channels }, dropout },
      position: { kind: 'sinusoidal', layout: 'halves', inclusive: true },
      head: { kind: 'none' },
    },
    startId,
  };
}

const table = 'model.decoder.embed_tokens';

const keys: KeyTable = [
  ['tokens', table],
  ['head', 'proj_out'],
  ['encoder.conv1', 'model.encoder.conv1'],
  ['encoder.conv2', 'model.encoder.conv2'],
  ['decoder.positions', 'model.decoder.embed_positions'],
  ...bartStackKeys,
];

/**
 * Whisper: an mBART whose encoder reads the frames of sounds, behind two convolutions, with sinusoidal positions.
 *
 * @see Radford et al. 2022, https://arxiv.org/abs/2212.04356
 */
export const whisper: ModelFamily<WhisperConfig> = {
  modelType: 'whisper',
  parseConfig(json, name = 'config.json') {
    const config = checkEvenWidth(checkBartSizes(own.parse(json, name), name), name);
    paddingRow(config.pad_token_id, config.vocab_size, name);
    return config;
  },
  settings: own,
  configJson: (config) => ({ ...config }),
  preset,
  keys: () => keys,
  buffers({ max_source_positions: length, d_model: dim }) {
    const values = () => sinusoidalTable(length, dim, { layout: 'halves', inclusive: true });
    return { 'model.encoder.embed_positions.weight': { shape: [length, dim], values } };
  },
  keyPrefix: 'model.',
  copies: ({ tie_word_embeddings: tied }) => (tied ? [['proj_out.weight', `${table}.weight`]] : []),
  fitted: (config, { differing }) =>
    differing.length > 0 ? { ...config, tie_word_embeddings: false } : config,
  ignoredKeys: /^(model\.)?encoder\.embed_positions\.weight$/,
};
