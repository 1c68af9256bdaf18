import { z } from 'zod';
import type { EncoderConfiguration, ModelConfiguration } from '../build/model-configuration.js';
import type { Held, KeyTable, ModelFamily } from '../family.js';
import { tokenId } from '../fields.js';
import { type GPT2Config, gpt2 } from './gpt2.js';
import { settings } from './shared/settings.js';
import { type ViTConfig, vit } from './vit.js';

/** Hugging Face's `VisionEncoderDecoderConfig`, of ViT and GPT-2; other keys are kept as they are. */
export interface VisionEncoderDecoderConfig {
  [key: string]: unknown;
  model_type: 'vision-encoder-decoder';
  architectures: ['VisionEncoderDecoderModel'];
  encoder: ViTConfig;
  /** With `add_cross_attention`. */
  decoder: GPT2Config;
  /** Null or absent: what the decoder's settings say. */
  decoder_start_token_id?: number | null | undefined;
  bos_token_id?: number | null | undefined;
}

const own = settings<VisionEncoderDecoderConfig>(
  {
    model_type: z.literal('vision-encoder-decoder').default('vision-encoder-decoder'),
    architectures: z
      .tuple([z.literal('VisionEncoderDecoderModel')])
      .default(['VisionEncoderDecoderModel']),
    // Other encoders and decoders are not built: refused, not ignored.
    encoder: z.looseObject({ model_type: z.literal('vit') }),
    decoder: z.looseObject({
      model_type: z.literal('gpt2'),
      add_cross_attention: z.literal(true),
    }),
    decoder_start_token_id: tokenId.nullish(),
    bos_token_id: tokenId.nullish(),
    is_encoder_decoder: z.literal(true).default(true),
    quantization_config: z.null().optional(),
  },
  { nested: { encoder: vit.settings!, decoder: gpt2.settings! } },
);

function preset(config: VisionEncoderDecoderConfig): ModelConfiguration {
  const decoder = gpt2.preset(config.decoder);
  const encoder = { ...vit.preset(config.encoder), head: { kind: 'none' } } as const;
  return {
    ...decoder,
    encoder: encoder as EncoderConfiguration,
    startId: config.decoder_start_token_id ?? config.bos_token_id ?? decoder.startId,
  };
}

/** The checkpoint keys of the encoder or of the decoder: those of the model alone behind the prefix `encoder.` or `decoder.`. */
const below = (
  side: 'encoder' | 'decoder',
  table: KeyTable,
  ours = (path: string) => path,
): KeyTable =>
  table.map(([path, key, ...rows]) => [ours(path), `${side}.${key}`, ...rows] as const);

const lead = 'decoder.';

/**
 * Captions of pictures: ViT, and GPT-2 whose blocks look at its last hidden states.
 *
 * transformers gives ViT a pooler that no caption depends on: it is not read, and saved as zeros.
 *
 * @see Li et al. 2021, https://arxiv.org/abs/2109.10282
 */
export const visionEncoderDecoder: ModelFamily<VisionEncoderDecoderConfig> = {
  modelType: 'vision-encoder-decoder',
  parseConfig(json, name = 'config.json') {
    const config = own.parse(json, name);
    // Which class each would be by itself has no effect.
    const alone = (settings: object, architecture: string) => ({
      ...settings,
      architectures: [architecture],
    });
    const encoder = vit.parseConfig(alone(config.encoder, 'ViTModel'), `${name}: encoder`);
    const read = alone(config.decoder, 'GPT2LMHeadModel');
    const { decoder_start_token_id, bos_token_id } = config;
    const start = decoder_start_token_id ?? bos_token_id;
    const told = start == null ? read : { ...read, decoder_start_token_id: start };
    const decoder = gpt2.parseConfig(told, `${name}: decoder`);
    return { ...config, encoder, decoder };
  },
  settings: own,
  configJson: (config) => ({ ...config }),
  preset,
  keys: ({ encoder, decoder }) => [
    ...below(
      'encoder',
      vit.keys({ ...encoder, architectures: ['ViTModel'] }),
      (path) => `encoder.${path}`,
    ),
    ['encoder.projection', 'enc_to_dec_proj'],
    ...below('decoder', gpt2.keys(decoder)),
  ],
  keyPrefix: '',
  buffers: ({ encoder: { hidden_size: dim } }) => ({
    'encoder.pooler.dense.weight': { shape: [dim, dim], values: () => new Float32Array(dim * dim) },
    'encoder.pooler.dense.bias': { shape: [dim], values: () => new Float32Array(dim) },
  }),
  copies: ({ decoder }) =>
    (gpt2.copies?.(decoder) ?? []).map(([copy, of]) => [lead + copy, lead + of] as const),
  fitted(config, { has, differing }: Held) {
    const held: Held = {
      has: (key) => has(lead + key),
      differing: differing
        .filter((key) => key.startsWith(lead))
        .map((key) => key.slice(lead.length)),
    };
    return { ...config, decoder: gpt2.fitted!(config.decoder, held) };
  },
  ignoredKeys:
    /^encoder\.(pooler\.|embeddings\.mask_token$)|\.(attn|crossattention)\.(bias|masked_bias)$/,
};
