import { InputError } from '@headwise/core';
import type { SinusoidalLayout } from '@headwise/positions';
import { z } from 'zod';
import type { ModelConfiguration } from '../build/model-configuration.js';
import type { Held, KeyCopy, ModelFamily } from '../family.js';
import { size } from '../fields.js';
import {
  type BartSizes,
  bartKeys,
  bartPreset,
  bartSettings,
  bartTables,
  checkBartSizes,
  checkEvenWidth,
} from './bart.js';

/**
 * Hugging Face's `MarianConfig`, whose checkpoints are those of the Transformer of 2017.
 *
 * The paper's own model has `activation_function: 'relu'`, `scale_embedding: true` and
 * `position_layout: 'interleaved'`.
 */
export interface TransformerConfig extends BartSizes {
  model_type: 'marian';
  architectures: ['MarianMTModel'];
  /** How sines and cosines lie: Marian's `halves`, the default, or the paper's `interleaved`. */
  position_layout: SinusoidalLayout;
  /** `V` of the target; null or absent: `vocab_size`. */
  decoder_vocab_size?: number | null | undefined;
  /** Whether both sides have one table of tokens; otherwise a tied head has the decoder's. */
  share_encoder_decoder_embeddings: boolean;
}

const own = bartSettings<TransformerConfig>({
  model_type: z.literal('marian').default('marian'),
  architectures: z.tuple([z.literal('MarianMTModel')]).default(['MarianMTModel']),
  vocab_size: size.default(58101),
  pad_token_id: z.number().int().nonnegative().default(58100),
  decoder_start_token_id: z.number().int().nonnegative().default(58100),
  position_layout: z.enum(['halves', 'interleaved']).default('halves'),
  decoder_vocab_size: size.nullish(),
  share_encoder_decoder_embeddings: z.boolean().default(true),
  // Variants that are not built: refused, not ignored.
  normalize_embedding: z.literal(false).optional(),
  static_position_embeddings: z.literal(true).optional(),
});

const head = 'lm_head.weight';
const table = 'model.decoder.embed_tokens.weight';

function preset(config: TransformerConfig): ModelConfiguration {
  const position = { kind: 'sinusoidal', layout: config.position_layout } as const;
  if (config.share_encoder_decoder_embeddings) return bartPreset(config, { position, norm: false });
  return bartPreset(config, {
    position,
    norm: false,
    tables: { separate: ['encoder', 'decoder'], tied: config.tie_word_embeddings },
    targetVocabSize: config.decoder_vocab_size ?? config.vocab_size,
  });
}

function copies(config: TransformerConfig): readonly KeyCopy[] {
  if (config.share_encoder_decoder_embeddings) return bartTables.copies(config);
  return config.tie_word_embeddings ? [[head, table]] : [];
}

function fitted(config: TransformerConfig, held: Held): TransformerConfig {
  if (config.share_encoder_decoder_embeddings) {
    return bartTables.fitted(config, held) as TransformerConfig;
  }
  const { tie_word_embeddings: tied } = config;
  return {
    ...config,
    tie_word_embeddings: tied ? !held.differing.includes(head) : !held.has(head),
  };
}

/**
 * The Transformer of 2017: an encoder-decoder of post-norm blocks with sinusoidal positions, whose
 * embeddings, scaled by `√D`, are the weights of its head too.
 *
 * It was trained with a label smoothing of 0.1, an option of the loss.
 *
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
 */
export const transformer: ModelFamily<TransformerConfig> = {
  modelType: 'marian',
  parseConfig(json, name = 'config.json') {
    const config = checkBartSizes(own.parse(json, name), name);
    const { vocab_size, decoder_vocab_size, share_encoder_decoder_embeddings } = config;
    if (share_encoder_decoder_embeddings && (decoder_vocab_size ?? vocab_size) !== vocab_size) {
      throw new InputError(
        `${name}: 'decoder_vocab_size' is ${decoder_vocab_size}; expected 'vocab_size' ${vocab_size}, as embeddings are shared`,
      );
    }
    return checkEvenWidth(config, name);
  },
  settings: own,
  configJson: (config) => ({ ...config }),
  preset,
  keys: () => bartKeys,
  keyPrefix: 'model.',
  copies,
  fitted,
  ignoredKeys: /^(model\.)?(encoder|decoder)\.embed_positions\.weight$/,
  optionalKeys: /^final_logits_bias$/,
};
