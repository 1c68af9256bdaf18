import { type EncoderModel, normal, type ParamStore } from '@headwise/core';
import { Embedding } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import {
  BertBody,
  BertModel,
  type BertSizes,
  bertKeys,
  bertSchema,
  checkBertSizes,
  classifier,
  type HeadMaker,
  makePooler,
  maskedLanguageHead,
  oldBertKey,
} from './bert-body.js';
import { labelCount, parseWith, size } from './config.js';
import type { ModelFamily } from './family.js';
import { answerSpan } from './heads.js';

/** Hugging Face's names for RoBERTa under each of its heads. */
export type RobertaArchitecture =
  | 'RobertaModel'
  | 'RobertaForMaskedLM'
  | 'RobertaForSequenceClassification'
  | 'RobertaForTokenClassification'
  | 'RobertaForQuestionAnswering';

/** Hugging Face's `RobertaConfig`. */
export interface RobertaConfig extends BertSizes {
  model_type: 'roberta';
  /** One, which names the head. */
  architectures: [RobertaArchitecture];
  /** The id of padding; the first token has the position after it. */
  pad_token_id: number;
}

const heads: Record<RobertaArchitecture, HeadMaker<BertSizes>> = {
  RobertaModel: (params, config) => {
    const pooler = makePooler(params.at('pooler'), config);
    return (hidden, ctx) => ({ hidden, pooled: pooler.forward(hidden, ctx) });
  },
  RobertaForMaskedLM: (params, config, { tokens }) => {
    const head = maskedLanguageHead(params.at('head'), config, tokens, 'gelu');
    return (hidden, ctx) => ({ logits: head.forward(hidden, ctx) });
  },
  RobertaForSequenceClassification: (params, config) => {
    const dropout = config.classifier_dropout ?? config.hidden_dropout_prob;
    const pooler = makePooler(params.at('classifierPooler'), config, dropout);
    const classes = classifier(params.at('classifier'), config, labelCount(config));
    return (hidden, ctx) => ({ logits: classes.forward(pooler.forward(hidden, ctx), ctx) });
  },
  RobertaForTokenClassification: (params, config) => {
    const classes = classifier(params.at('classifier'), config, labelCount(config));
    return (hidden, ctx) => ({ logits: classes.forward(hidden, ctx) });
  },
  RobertaForQuestionAnswering: (params, config) => {
    const span = classifier(params.at('span'), config, 2, 0);
    return (hidden, ctx) => answerSpan(span.forward(hidden, ctx));
  },
};

const schema: z.ZodType<RobertaConfig> = bertSchema({
  model_type: z.literal('roberta').default('roberta'),
  architectures: z
    .tuple([z.enum(Object.keys(heads) as RobertaArchitecture[])])
    .default(['RobertaModel']),
  vocab_size: size.default(50265),
  pad_token_id: z.number().int().nonnegative().default(1),
});

/**
 * The positions of ids that are no padding, counted from `padId + 1`; padding has `padId` itself.
 *
 * @param ids `[B, T]`, int32 @returns `[B, T]`, int32
 */
export function positionsAfterPadding(ids: tf.Tensor, padId: number): tf.Tensor {
  return tf.tidy(() => {
    const tokens = ids.notEqual(padId).toFloat();
    return tokens.cumsum(1).mul(tokens).add(padId).toInt();
  });
}

/**
 * RoBERTa: BERT without next sentences, whose positions are counted over the tokens that are no padding.
 *
 * @see Liu et al. 2019, https://arxiv.org/abs/1907.11692
 */
function buildRoberta(params: ParamStore, config: RobertaConfig): EncoderModel {
  const { hidden_size: dim, max_position_embeddings: count, pad_token_id: padId } = config;
  const init = normal(config.initializer_range);
  const table = new Embedding(params.at('positions'), { count, dim, padId, init });
  const body = new BertBody(params, config, {
    positions: (x, ids, ctx) => x.add(table.forward(positionsAfterPadding(ids, padId), ctx)),
    padId,
    // The table's first rows are no token's.
    maxLength: count - padId - 1,
  });
  return new BertModel(body, heads[config.architectures[0]](params, config, body));
}

/** The family `roberta` in Hugging Face's layout. */
export const roberta: ModelFamily<RobertaConfig> = {
  modelType: 'roberta',
  parseConfig(json, name = 'config.json') {
    return checkBertSizes(parseWith(schema, json, name), name);
  },
  configJson: (config) => ({ ...config }),
  build: buildRoberta,
  keys: ({ architectures: [head] }) => [
    ...bertKeys(head === 'RobertaModel' ? '' : 'roberta.'),
    ['head.dense', 'lm_head.dense'],
    ['head.norm', 'lm_head.layer_norm'],
    ['head', 'lm_head'],
    ['classifierPooler', 'classifier.dense'],
    [
      'classifier',
      head === 'RobertaForSequenceClassification' ? 'classifier.out_proj' : 'classifier',
    ],
    ['span', 'qa_outputs'],
  ],
  keyPrefix: 'roberta.',
  ignoredKeys: /\.position_ids$|^lm_head\.decoder\.(weight|bias)$/,
  oldKey: oldBertKey,
};
