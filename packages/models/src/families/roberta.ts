import { type EncoderModel, normal, type ParamStore } from '@headwise/core';
import { Embedding } from '@headwise/layers';
import { positionsAfterPadding } from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { answerSpan } from '../build/heads.js';
import type { ModelFamily } from '../family.js';
import { labelCount, size, tokenId } from '../fields.js';
import {
  BertBody,
  BertModel,
  type BertSizes,
  bareHead,
  bertKeys,
  bertSettings,
  checkBertSizes,
  classifier,
  fittedBert,
  type HeadMaker,
  makePooler,
  maskedLanguageHead,
  oldBertKey,
} from './bert-body.js';

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

const heads: Record<Kind, HeadMaker<BertSizes>> = {
  Model: bareHead,
  ForMaskedLM: (params, config, { tokens }) => {
    const head = maskedLanguageHead(params.at('head'), config, tokens, 'gelu');
    return (hidden, ctx) => ({ logits: head.forward(hidden, ctx) });
  },
  ForSequenceClassification: (params, config) => {
    const dropout = config.classifier_dropout ?? config.hidden_dropout_prob;
    const pooler = makePooler(params.at('classifierPooler'), config, dropout);
    const classes = classifier(params.at('classifier'), config, labelCount(config));
    return (hidden, ctx) => ({ logits: classes.forward(pooler.forward(hidden, ctx), ctx) });
  },
  ForTokenClassification: (params, config) => {
    const classes = classifier(params.at('classifier'), config, labelCount(config));
    return (hidden, ctx) => ({ logits: classes.forward(hidden, ctx) });
  },
  ForQuestionAnswering: (params, config) => {
    const span = classifier(params.at('span'), config, 2, 0);
    return (hidden, ctx) => answerSpan(span.forward(hidden, ctx));
  },
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

/**
 * RoBERTa: BERT without next sentences, whose positions are counted over the tokens that are not padding.
 *
 * @see Liu et al. 2019, https://arxiv.org/abs/1907.11692
 */
function buildRoberta(params: ParamStore, config: RobertaConfig): EncoderModel {
  const { hidden_size: dim, max_position_embeddings: count, pad_token_id: padId } = config;
  const init = normal(config.initializer_range);
  const table = new Embedding(params.at('positions'), {
    name: 'position',
    count,
    dim,
    padId,
    init,
  });
  const body = new BertBody(params, config, {
    positions: (x, ids, ctx) => {
      const given = ctx?.positions?.add(tf.scalar(padId + 1, 'int32'));
      return x.add(table.forward(given ?? positionsAfterPadding(ids, padId), ctx));
    },
    padId,
    // The table's first rows belong to no position.
    maxLength: count - padId - 1,
  });
  return new BertModel(body, heads[kindOf(config)](params, config, body));
}

function familyOf(modelType: ModelType, vocabSize: number): ModelFamily<RobertaConfig> {
  const own = settingsOf(modelType, vocabSize);
  return {
    modelType,
    parseConfig(json, name = 'config.json') {
      return checkBertSizes(own.parse(json, name), name);
    },
    settings: own,
    depths: ['num_hidden_layers'],
    configJson: (config) => ({ ...config }),
    build: buildRoberta,
    keys: (config) => [
      ...bertKeys(kindOf(config) === 'Model' ? '' : 'roberta.'),
      ['head.dense', 'lm_head.dense'],
      ['head.norm', 'lm_head.layer_norm'],
      ['head', 'lm_head'],
      ['classifierPooler', 'classifier.dense'],
      [
        'classifier',
        kindOf(config) === 'ForSequenceClassification' ? 'classifier.out_proj' : 'classifier',
      ],
      ['span', 'qa_outputs'],
    ],
    keyPrefix: 'roberta.',
    copies: (config) =>
      config.tie_word_embeddings && kindOf(config) === 'ForMaskedLM'
        ? [
            ['lm_head.decoder.weight', 'roberta.embeddings.word_embeddings.weight'],
            ['lm_head.decoder.bias', 'lm_head.bias'],
          ]
        : [],
    fitted: (config, held) => fittedBert(config, held, kindOf(config) === 'Model'),
    ignoredKeys: /\.position_ids$/,
    oldKey: oldBertKey,
  };
}

/** The family `roberta` in Hugging Face's layout. */
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
