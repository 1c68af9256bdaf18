import { z } from 'zod';
import type { HeadPart, ModelConfiguration } from '../build/model-configuration.js';
import type { ModelFamily } from '../family.js';
import { labelCount, size, tokenId } from '../fields.js';
import {
  type BertSizes,
  bertKeys,
  bertPreset,
  bertSettings,
  checkBertSizes,
  classifierDropout,
  fittedBert,
  oldBertKey,
} from './bert.js';
import { withoutLostHead } from './shared/headless.js';

const kinds = [
  'Model',
  'ForMaskedLM',
  'ForSequenceClassification',
  'ForTokenClassification',
  'ForQuestionAnswering',
] as const;

/** What the names of transformers' classes begin with: the same network with other vocabularies. */
const prefixes = {
  roberta: 'Roberta',
  'xlm-roberta': 'XLMRoberta',
  camembert: 'Camembert',
} as const;

type ModelType = keyof typeof prefixes;
type Kind = (typeof kinds)[number];

/** Hugging Face's names for RoBERTa, XLM-RoBERTa and CamemBERT under each of their heads. */
export type RobertaArchitecture = `${(typeof prefixes)[ModelType]}${Kind}`;

/** Hugging Face's `RobertaConfig`, `XLMRobertaConfig` and `CamembertConfig`. */
export interface RobertaConfig extends BertSizes {
  model_type: ModelType;
  /** One, which names the head. */
  architectures: [RobertaArchitecture];
  /** The id of padding; the first token has the position after it. */
  pad_token_id: number;
}

const heads: { readonly [K in Kind]: (config: RobertaConfig) => HeadPart } = {
  Model: (config) => ({ kind: 'none', pooler: config.add_pooling_layer }),
  ForMaskedLM: ({ tie_word_embeddings: tied }) => ({
    kind: 'masked-language-model',
    tied,
    activation: 'gelu',
  }),
  ForSequenceClassification: (config) => ({
    kind: 'sequence-classification',
    labels: labelCount(config),
    pooler: { dropout: classifierDropout(config) },
    dropout: classifierDropout(config),
    bias: true,
  }),
  ForTokenClassification: (config) => ({
    kind: 'token-classification',
    labels: labelCount(config),
    dropout: classifierDropout(config),
  }),
  ForQuestionAnswering: () => ({ kind: 'question-answering' }),
};

const settingsOf = (modelType: ModelType, vocabSize: number) => {
  const names = kinds.map((kind) => `${prefixes[modelType]}${kind}` as const);
  return bertSettings<RobertaConfig>({
    model_type: z.literal(modelType).default(modelType),
    architectures: z.tuple([z.enum(names)]).default([names[0]!]),
    vocab_size: size.default(vocabSize),
    pad_token_id: tokenId.nonnegative().default(1),
  });
};

const kindOf = ({ architectures: [name], model_type }: RobertaConfig): Kind =>
  name.slice(prefixes[model_type].length) as Kind;

function preset(config: RobertaConfig): ModelConfiguration {
  const { pad_token_id: padId } = config;
  return bertPreset(config, {
    position: { kind: 'learned', padId },
    // The table's first rows belong to no position.
    maxLength: config.max_position_embeddings - padId - 1,
    padId,
    head: heads[kindOf(config)](config),
  });
}

/** Where scores of labels lie, if not in `classifier`. */
const scoreKeys: { readonly [K in Kind]?: string | undefined } = {
  ForSequenceClassification: 'classifier.out_proj',
  ForQuestionAnswering: 'qa_outputs',
};

function familyOf(modelType: ModelType, vocabSize: number): ModelFamily<RobertaConfig> {
  const own = settingsOf(modelType, vocabSize);
  const family: ModelFamily<RobertaConfig> = {
    modelType,
    parseConfig(json, name = 'config.json') {
      return checkBertSizes(own.parse(json, name), name);
    },
    settings: own,
    configJson: (config) => ({ ...config }),
    preset,
    keys: (config) => {
      const kind = kindOf(config);
      const classifies = kind === 'ForSequenceClassification';
      return [
        ...(classifies ? [['pooler', 'classifier.dense'] as const] : []),
        ...bertKeys(kind === 'Model' ? '' : 'roberta.'),
        ['head.dense', 'lm_head.dense'],
        ['head.norm', 'lm_head.layer_norm'],
        ['head', 'lm_head'],
        ['score', scoreKeys[kind] ?? 'classifier'],
      ];
    },
    keyPrefix: 'roberta.',
    copies: (config) =>
      config.tie_word_embeddings && kindOf(config) === 'ForMaskedLM'
        ? [
            ['lm_head.decoder.weight', 'roberta.embeddings.word_embeddings.weight'],
            ['lm_head.decoder.bias', 'lm_head.bias'],
          ]
        : [],
    fitted(config, held) {
      const bare = `${prefixes[modelType]}Model`;
      const own = withoutLostHead(config, bare, family.keys(config), held);
      return fittedBert(own, held, kindOf(own) === 'Model');
    },
    ignoredKeys: /\.position_ids$/,
    oldKey: oldBertKey,
  };
  return family;
}

/**
 * RoBERTa: BERT without next sentences, whose positions are counted over the tokens that are not padding.
 *
 * @see Liu et al. 2019, https://arxiv.org/abs/1907.11692
 */
export const roberta: ModelFamily<RobertaConfig> = familyOf('roberta', 50265);

/**
 * XLM-RoBERTa: RoBERTa of a hundred languages.
 *
 * @see Conneau et al. 2020, https://arxiv.org/abs/1911.02116
 */
export const xlmRoberta: ModelFamily<RobertaConfig> = familyOf('xlm-roberta', 30522);

/**
 * CamemBERT: RoBERTa of French.
 *
 * @see Martin et al. 2020, https://arxiv.org/abs/1911.03894
 */
export const camembert: ModelFamily<RobertaConfig> = familyOf('camembert', 30522);
