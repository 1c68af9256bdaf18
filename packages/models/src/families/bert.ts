import { z } from 'zod';
import type { HeadPart, ModelConfiguration, PositionPart } from '../build/model-configuration.js';
import type { Held, KeyTable, ModelFamily } from '../family.js';
import { classes, depth, labelCount, rate, size, tokenId } from '../fields.js';
import { checkDivides } from '../parse-with.js';
import { type ActivationName, activation } from './shared/activations.js';
import { paddingRow } from './shared/decoder-head.js';
import { bertParts, maskedHead } from './shared/encoder-family.js';
import { withoutLostHead } from './shared/headless.js';
import { type Settings, settings } from './shared/settings.js';

/** What the configurations of BERT and of RoBERTa have in common; other keys are kept as they are. */
export interface BertSizes {
  [key: string]: unknown;
  /** `V` */
  vocab_size: number;
  /** `D`, divisible by `num_attention_heads`. */
  hidden_size: number;
  /** `L` */
  num_hidden_layers: number;
  /** `H` */
  num_attention_heads: number;
  /** `F` */
  intermediate_size: number;
  hidden_act: ActivationName;
  hidden_dropout_prob: number;
  attention_probs_dropout_prob: number;
  /** Of what a classifier reads; null: `hidden_dropout_prob`. */
  classifier_dropout: number | null;
  /** The number of rows in the table of positions. */
  max_position_embeddings: number;
  /** The number of token types. */
  type_vocab_size: number;
  /** The standard deviation of the initial weights. */
  initializer_range: number;
  layer_norm_eps: number;
  /** The names of the classes of a classifier. */
  id2label?: Record<string, string> | null | undefined;
  /** Their number, where they have no names; default 2. */
  num_labels?: number | undefined;
  /** Whether the head of masked tokens has the embeddings' weights. */
  tie_word_embeddings: boolean;
  /** Whether the bare model makes one vector of the first token, as transformers' constructor asks; default true. */
  add_pooling_layer: boolean;
  pad_token_id: number | null;
}

/** The settings that BERT and RoBERTa share, with Hugging Face's defaults. */
const shared = {
  hidden_size: size.default(768),
  num_hidden_layers: depth.default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  hidden_act: activation('gelu'),
  hidden_dropout_prob: rate.default(0.1),
  attention_probs_dropout_prob: rate.default(0.1),
  classifier_dropout: rate.nullable().default(null),
  max_position_embeddings: size.default(512),
  type_vocab_size: size.default(2),
  initializer_range: z.number().nonnegative().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-12),
  ...classes,
  add_pooling_layer: z.boolean().default(true),
  // Variants that are not built: refused, not ignored.
  is_decoder: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().default(true),
  position_embedding_type: z.literal('absolute').optional(),
  quantization_config: z.null().optional(),
};

/** The settings of a family that has the shared ones and some of its own. */
export function bertSettings<C extends BertSizes>(own: Record<string, z.ZodType>): Settings<C> {
  return settings<C>({ ...shared, ...own }, { kept: ['position_ids'] });
}

/** Hugging Face's names for BERT under each of its heads. */
export type BertArchitecture =
  | 'BertModel'
  | 'BertForMaskedLM'
  | 'BertForNextSentencePrediction'
  | 'BertForPreTraining'
  | 'BertForSequenceClassification'
  | 'BertForTokenClassification'
  | 'BertForQuestionAnswering';

/** Hugging Face's `BertConfig`. */
export interface BertConfig extends BertSizes {
  model_type: 'bert';
  /** One, which names the head. */
  architectures: [BertArchitecture];
}

/** The dropout of what a classifier reads. */
export const classifierDropout = (config: BertSizes): number =>
  config.classifier_dropout ?? config.hidden_dropout_prob;

const heads: { readonly [K in BertArchitecture]: (config: BertConfig) => HeadPart } = {
  BertModel: (config) => ({ kind: 'none', pooler: config.add_pooling_layer }),
  BertForMaskedLM: (config) => maskedHead(config),
  BertForNextSentencePrediction: () => ({ kind: 'next-sentence' }),
  BertForPreTraining: (config) => ({ ...maskedHead(config), nextSentence: true }),
  BertForSequenceClassification: (config) => ({
    kind: 'sequence-classification',
    labels: labelCount(config),
    pooler: {},
    dropout: classifierDropout(config),
    bias: true,
  }),
  BertForTokenClassification: (config) => ({
    kind: 'token-classification',
    labels: labelCount(config),
    dropout: classifierDropout(config),
  }),
  BertForQuestionAnswering: () => ({ kind: 'question-answering' }),
};

const own = bertSettings<BertConfig>({
  model_type: z.literal('bert').default('bert'),
  architectures: z.tuple([z.enum(Object.keys(heads) as BertArchitecture[])]).default(['BertModel']),
  vocab_size: size.default(30522),
  pad_token_id: tokenId.nullable().default(0),
});

/** What an encoder of BERT's kind has of its own. */
export interface BertParts {
  position: PositionPart;
  maxLength: number;
  /** The id of padding, whose embedding gets no gradient. */
  padId: number | undefined;
  head: HeadPart;
}

/** The configuration of an encoder of BERT's kind: post-norm blocks above `norm(E_t + S_t + P_t)`. */
export function bertPreset(
  config: BertSizes,
  { position, maxLength, padId, head }: BertParts,
): ModelConfiguration {
  const bert = bertParts(config, head);
  return {
    ...bert,
    maxLength,
    embedding: { tokenTypes: config.type_vocab_size, ...bert.embedding, padId },
    position,
  };
}

function preset(config: BertConfig): ModelConfiguration {
  return bertPreset(config, {
    position: { kind: 'learned' },
    maxLength: config.max_position_embeddings,
    padId: paddingRow(config.pad_token_id, config.vocab_size, 'config.json'),
    head: heads[config.architectures[0]](config),
  });
}

/**
 * Gives a configuration back whose heads divide its width, and whose padding is a token.
 *
 * @throws InputError with both numbers
 */
export function checkBertSizes<C extends BertSizes>(config: C, name: string): C {
  const { hidden_size, num_attention_heads } = config;
  checkDivides(name, 'hidden_size', hidden_size, 'num_attention_heads', num_attention_heads);
  paddingRow(config.pad_token_id, config.vocab_size, name);
  return config;
}

/** The first checkpoints, converted from TensorFlow's, call a norm's weight and bias `gamma` and `beta`. */
export const oldBertKey = (key: string): string =>
  key
    .replace(/LayerNorm\.weight$/, 'LayerNorm.gamma')
    .replace(/LayerNorm\.bias$/, 'LayerNorm.beta');

/** Where the parameters of BERT's and RoBERTa's bodies lie, below a prefix. */
export function bertKeys(prefix: string): KeyTable {
  const layer = `${prefix}encoder.layer.#`;
  return [
    ['tokens', `${prefix}embeddings.word_embeddings`],
    ['positions', `${prefix}embeddings.position_embeddings`],
    ['tokenTypes', `${prefix}embeddings.token_type_embeddings`],
    ['embeddingNorm', `${prefix}embeddings.LayerNorm`],
    ['blocks.#.attn.qProj', `${layer}.attention.self.query`],
    ['blocks.#.attn.kProj', `${layer}.attention.self.key`],
    ['blocks.#.attn.vProj', `${layer}.attention.self.value`],
    ['blocks.#.attn.outProj', `${layer}.attention.output.dense`],
    ['blocks.#.norm1', `${layer}.attention.output.LayerNorm`],
    ['blocks.#.mlp.up', `${layer}.intermediate.dense`],
    ['blocks.#.mlp.down', `${layer}.output.dense`],
    ['blocks.#.norm2', `${layer}.output.LayerNorm`],
    ['pooler', `${prefix}pooler.dense`],
  ];
}

/**
 * A configuration as its checkpoint's tensors have it: without a pooler that is not there, and with a head of its own
 * where that differs from the embeddings.
 *
 * @param bare whether it has no head
 */
export function fittedBert<C extends BertSizes>(
  config: C,
  { has, differing }: Held,
  bare: boolean,
): C {
  return {
    ...config,
    ...(bare && !has('pooler.dense.weight') ? { add_pooling_layer: false } : {}),
    ...(differing.length > 0 ? { tie_word_embeddings: false } : {}),
  };
}

/**
 * BERT: an encoder of post-norm blocks with learned positions and token types, under the head that `architectures`
 * names.
 *
 * @see Devlin et al. 2019, https://arxiv.org/abs/1810.04805
 */
export const bert: ModelFamily<BertConfig> = {
  modelType: 'bert',
  parseConfig(json, name = 'config.json') {
    return checkBertSizes(own.parse(json, name), name);
  },
  settings: own,
  configJson: (config) => ({ ...config }),
  preset,
  keys: ({ architectures: [head] }) => [
    ...bertKeys(head === 'BertModel' ? '' : 'bert.'),
    ['head.dense', 'cls.predictions.transform.dense'],
    ['head.norm', 'cls.predictions.transform.LayerNorm'],
    ['head', 'cls.predictions'],
    ['nextSentence', 'cls.seq_relationship'],
    ['score', head === 'BertForQuestionAnswering' ? 'qa_outputs' : 'classifier'],
  ],
  keyPrefix: 'bert.',
  copies: ({ architectures: [head], tie_word_embeddings: tied }) =>
    tied && /MaskedLM$|PreTraining$/.test(head)
      ? [
          ['cls.predictions.decoder.weight', 'bert.embeddings.word_embeddings.weight'],
          ['cls.predictions.decoder.bias', 'cls.predictions.bias'],
        ]
      : [],
  fitted(config, held) {
    const own = withoutLostHead(config, 'BertModel', bert.keys(config), held);
    return fittedBert(own, held, own.architectures[0] === 'BertModel');
  },
  ignoredKeys: /\.position_ids$/,
  oldKey: oldBertKey,
};
