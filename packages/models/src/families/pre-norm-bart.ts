import { sinusoidalTable } from '@headwise/positions';
import { z } from 'zod';
import type { KeyTable, ModelFamily } from '../family.js';
import { rate, size } from '../fields.js';
import {
  type BartParts,
  type BartSizes,
  bartKeys,
  bartPreset,
  bartSettings,
  bartTables,
  checkBartSizes,
  checkEvenWidth,
  learnedKeys,
} from './bart.js';
import { activation } from './shared/activations.js';

/** Hugging Face's `MBartConfig`, `PegasusConfig` and `M2M100Config`; other keys are kept as they are. */
export interface PreNormBartConfig extends BartSizes {
  model_type: 'mbart' | 'pegasus' | 'm2m_100';
  architectures: [string];
}

const id = z.number().int().nonnegative();

/** In what a family differs from a BART whose blocks normalise before each part. */
interface Recipe {
  modelType: PreNormBartConfig['model_type'];
  /** What the names of transformers' classes begin with. */
  className: string;
  /** The settings whose defaults differ, and those that are refused. */
  shape: Readonly<Record<string, z.ZodType>>;
  parts(config: PreNormBartConfig): BartParts;
  keys?: KeyTable | undefined;
  /** Whether its positions are sines. */
  sines?: boolean | undefined;
  /** Tensors that its checkpoints hold beside parameters; default none. */
  buffers?: ModelFamily<PreNormBartConfig>['buffers'];
}

function preNormFamily({
  modelType,
  className,
  shape,
  parts,
  keys = [],
  sines = false,
  buffers,
}: Recipe): ModelFamily<PreNormBartConfig> {
  const whole = `${className}ForConditionalGeneration`;
  const own = bartSettings<PreNormBartConfig>({
    model_type: z.literal(modelType).default(modelType),
    // What is saved without a head has one: its weights are the table of tokens.
    architectures: z
      .tuple([z.enum([whole, `${className}Model`])])
      .default([whole])
      .transform(() => [whole]),
    vocab_size: size.default(50265),
    pad_token_id: id.default(1),
    bos_token_id: id.nullable().default(0),
    decoder_start_token_id: id.nullish(),
    normalize_before: z.literal(true).optional(),
    add_final_layer_norm: z.literal(true).optional(),
    normalize_embedding: z.literal(!sines).optional(),
    static_position_embeddings: z.literal(sines).optional(),
    ...shape,
  });
  return {
    modelType,
    parseConfig(json, name = 'config.json') {
      const config = checkBartSizes(own.parse(json, name), name);
      return sines ? checkEvenWidth(config, name) : config;
    },
    settings: own,
    configJson: (config) => ({ ...config }),
    preset: (config) => bartPreset(config, { block: 'pre-norm', ...parts(config) }),
    keys: () => [...bartKeys, ...keys],
    ...(buffers ? { buffers } : {}),
    keyPrefix: 'model.',
    copies: bartTables.copies,
    fitted: (config, held) => bartTables.fitted(config, held) as PreNormBartConfig,
    ignoredKeys: sines
      ? /^(model\.)?(encoder|decoder)\.(version|embed_positions\.weights?)$/
      : /^(encoder|decoder)\.version$/,
    optionalKeys: /^final_logits_bias$/,
  };
}

/**
 * mBART: BART whose blocks normalise before each part, with a last norm on each side.
 *
 * @see Liu et al. 2020, https://arxiv.org/abs/2001.08210
 */
export const mbart: ModelFamily<PreNormBartConfig> = preNormFamily({
  modelType: 'mbart',
  className: 'MBart',
  shape: {},
  parts: () => ({ position: { kind: 'learned', offset: 2 }, norm: true }),
  keys: learnedKeys,
});

/**
 * Pegasus: mBART with sinusoidal positions, and embeddings as they are.
 *
 * @see Zhang et al. 2020, https://arxiv.org/abs/1912.08777
 */
export const pegasus: ModelFamily<PreNormBartConfig> = preNormFamily({
  modelType: 'pegasus',
  className: 'Pegasus',
  shape: {
    pad_token_id: id.default(0),
    decoder_start_token_id: id.nullable().default(0),
  },
  parts: () => ({ position: { kind: 'sinusoidal', layout: 'halves' }, norm: false }),
  sines: true,
  buffers({ max_position_embeddings: length, d_model: dim }) {
    const values = () => sinusoidalTable(length, dim, { layout: 'halves' });
    const table = { shape: [length, dim], values };
    return {
      'model.encoder.embed_positions.weight': table,
      'model.decoder.embed_positions.weight': table,
    };
  },
});

/**
 * M2M100 and NLLB: Pegasus whose positions count from the padding's id, with frequencies from 1 to 1/10,000.
 *
 * The first token of the source and the first that is generated say the languages.
 *
 * @see Fan et al. 2021, https://arxiv.org/abs/2010.11125; NLLB Team 2022, https://arxiv.org/abs/2207.04672
 */
export const m2m100: ModelFamily<PreNormBartConfig> = preNormFamily({
  modelType: 'm2m_100',
  className: 'M2M100',
  shape: {
    vocab_size: size.default(128112),
    activation_function: activation('relu'),
    attention_dropout: rate.default(0.1),
    scale_embedding: z.boolean().default(true),
    decoder_start_token_id: id.nullable().default(2),
    // Layers are dropped in training alone, and here never.
    encoder_layerdrop: rate.default(0.05),
    decoder_layerdrop: rate.default(0.05),
  },
  parts: ({ pad_token_id: padId }) => ({
    position: {
      ...{ kind: 'sinusoidal', layout: 'halves', inclusive: true },
      padId: padId ?? undefined,
    },
    norm: false,
    bias: false,
  }),
  sines: true,
});
