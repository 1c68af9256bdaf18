import type { EncoderDecoderModel, Layer, ParamStore } from '@headwise/core';
import { LayerNorm } from '@headwise/layers';
import { LearnedPosition } from '@headwise/positions';
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

/** Hugging Face's `BartConfig`. */
export interface BartConfig extends BartSizes {
  model_type: 'bart';
  architectures: ['BartForConditionalGeneration'];
}

const own = bartSettings<BartConfig>({
  model_type: z.literal('bart').default('bart'),
  // The published base model is a BartModel, whose shared embeddings are its head.
  architectures: z
    .tuple([z.enum(['BartForConditionalGeneration', 'BartModel'])])
    .default(['BartForConditionalGeneration'])
    .transform(() => ['BartForConditionalGeneration']),
  vocab_size: size.default(50265),
  pad_token_id: z.number().int().nonnegative().default(1),
  decoder_start_token_id: z.number().int().nonnegative().default(2),
  normalize_embedding: z.literal(true).optional(),
  static_position_embeddings: z.literal(false).optional(),
});

/** The table of positions has this many rows before the first position's. */
const offset = 2;

/**
 * BART: an encoder-decoder of post-norm blocks with learned positions, whose embeddings are normalised.
 *
 * @see Lewis et al. 2020, https://arxiv.org/abs/1910.13461
 */
function buildBart(params: ParamStore, config: BartConfig): EncoderDecoderModel {
  const { d_model: dim, max_position_embeddings: maxLength } = config;
  const tokens = new SharedEmbedding(params, config);
  const embed = (side: ParamStore): Layer => {
    const positions = new LearnedPosition(side.at('positions'), { maxLength, dim, offset });
    const norm = new LayerNorm(side.at('embeddingNorm'), { dim });
    const dropout = bartDropout(config);
    return {
      forward: (ids, ctx) =>
        tf.tidy(() => {
          const x = positions.forward(tokens.forward(ids), ctx);
          return dropout.forward(norm.forward(x, ctx), ctx);
        }),
    };
  };
  return new EncoderDecoder({
    vocabSize: config.vocab_size,
    maxLength,
    startId: config.decoder_start_token_id,
    embedSource: embed(params.at('encoder')),
    encoder: bartEncoder(params, config),
    embedTarget: embed(params.at('decoder')),
    decoder: bartDecoder(params, config),
    scores: { forward: (x) => tokens.scores(x) },
  });
}

/** The family `bart` in Hugging Face's layout. */
export const bart: ModelFamily<BartConfig> = {
  modelType: 'bart',
  parseConfig(json, name = 'config.json') {
    return checkBartSizes(own.parse(json, name), name);
  },
  settings: own,
  depths: ['encoder_layers', 'decoder_layers'],
  configJson: (config) => ({ ...config }),
  build: buildBart,
  keys: () => [
    ...bartKeys,
    ['encoder.positions', 'model.encoder.embed_positions'],
    ['decoder.positions', 'model.decoder.embed_positions'],
    ['encoder.embeddingNorm', 'model.encoder.layernorm_embedding'],
    ['decoder.embeddingNorm', 'model.decoder.layernorm_embedding'],
  ],
  keyPrefix: 'model.',
  copies: () => bartCopies,
  ignoredKeys: /^(encoder|decoder)\.version$/,
  optionalKeys: /^final_logits_bias$/,
};
