import type { EncoderDecoderModel, Layer, ParamStore } from '@headwise/core';
import { InputError } from '@headwise/core';
import { type SinusoidalLayout, SinusoidalPosition } from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { EncoderDecoder } from '../build/encoder-decoder.js';
import type { ModelFamily } from '../family.js';
import { size } from '../fields.js';
import {
  type BartSizes,
  bartCopies,
  bartDecoder,
  bartDropout,
  bartEncoder,
  bartKeys,
  bartSettings,
  checkBartSizes,
  SharedEmbedding,
} from './bart-body.js';

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
}

const own = bartSettings<TransformerConfig>({
  model_type: z.literal('marian').default('marian'),
  architectures: z.tuple([z.literal('MarianMTModel')]).default(['MarianMTModel']),
  vocab_size: size.default(58101),
  pad_token_id: z.number().int().nonnegative().default(58100),
  decoder_start_token_id: z.number().int().nonnegative().default(58100),
  position_layout: z.enum(['halves', 'interleaved']).default('halves'),
  decoder_vocab_size: size.nullish(),
  // Variants that this file does not build: refused, not ignored.
  share_encoder_decoder_embeddings: z.literal(true).default(true),
  normalize_embedding: z.literal(false).optional(),
  static_position_embeddings: z.literal(true).optional(),
});

/**
 * The Transformer of 2017: an encoder-decoder of post-norm blocks with sinusoidal positions, whose
 * embeddings, scaled by `√D`, are the weights of its head too.
 *
 * It was trained with a label smoothing of 0.1, an option of the loss.
 *
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
 */
function buildTransformer(params: ParamStore, config: TransformerConfig): EncoderDecoderModel {
  const { d_model: dim, max_position_embeddings: maxLength, position_layout: layout } = config;
  const tokens = new SharedEmbedding(params, config);
  const positions = new SinusoidalPosition({ maxLength, dim, layout });
  const dropout = bartDropout(config);
  const embed: Layer = {
    forward: (ids, ctx) =>
      tf.tidy(() => dropout.forward(positions.forward(tokens.forward(ids), ctx), ctx)),
  };
  return new EncoderDecoder({
    vocabSize: config.vocab_size,
    maxLength,
    startId: config.decoder_start_token_id,
    embedSource: embed,
    encoder: bartEncoder(params, config),
    embedTarget: embed,
    decoder: bartDecoder(params, config),
    scores: { forward: (x) => tokens.scores(x) },
  });
}

/** The Transformer of 2017 in the layout of Hugging Face's `marian`. */
export const transformer: ModelFamily<TransformerConfig> = {
  modelType: 'marian',
  parseConfig(json, name = 'config.json') {
    const config = checkBartSizes(own.parse(json, name), name);
    const { vocab_size, decoder_vocab_size, d_model } = config;
    if ((decoder_vocab_size ?? vocab_size) !== vocab_size) {
      throw new InputError(
        `${name}: 'decoder_vocab_size' is ${decoder_vocab_size}; expected 'vocab_size' ${vocab_size}, as embeddings are shared`,
      );
    }
    if (d_model % 2 !== 0) {
      throw new InputError(
        `${name}: 'd_model' is ${d_model}; expected an even number, for sinusoidal positions`,
      );
    }
    return config;
  },
  settings: own,
  depths: ['encoder_layers', 'decoder_layers'],
  configJson: (config) => ({ ...config }),
  build: buildTransformer,
  keys: () => bartKeys,
  keyPrefix: 'model.',
  copies: () => bartCopies,
  ignoredKeys: /^(model\.)?(encoder|decoder)\.embed_positions\.weight$/,
  optionalKeys: /^final_logits_bias$/,
};
