import type { EncoderModel, ParamStore } from '@headwise/core';
import { LearnedPosition } from '@headwise/positions';
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
import { paddingRow } from './shared/decoder-head.js';

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

const heads: Record<BertArchitecture, HeadMaker<BertSizes>> = {
  BertModel: bareHead,
  BertForMaskedLM: (params, config, { tokens }) => {
    const head = maskedLanguageHead(params.at('head'), config, tokens);
    return (hidden, ctx) => ({ logits: head.forward(hidden, ctx) });
  },
  BertForNextSentencePrediction: (params, config) => {
    const pooler = makePooler(params.at('pooler'), config);
    const next = classifier(params.at('nextSentence'), config, 2, 0);
    return (hidden, ctx) => ({ logits: next.forward(pooler.forward(hidden, ctx), ctx) });
  },
  BertForPreTraining: (params, config, { tokens }) => {
    const head = maskedLanguageHead(params.at('head'), config, tokens);
    const pooler = makePooler(params.at('pooler'), config);
    const next = classifier(params.at('nextSentence'), config, 2, 0);
    return (hidden, ctx) => ({
      tokenLogits: head.forward(hidden, ctx),
      nextSentenceLogits: next.forward(pooler.forward(hidden, ctx), ctx),
    });
  },
  BertForSequenceClassification: (params, config) => {
    const pooler = makePooler(params.at('pooler'), config);
    const classes = classifier(params.at('classifier'), config, labelCount(config));
    return (hidden, ctx) => ({ logits: classes.forward(pooler.forward(hidden, ctx), ctx) });
  },
  BertForTokenClassification: (params, config) => {
    const classes = classifier(params.at('classifier'), config, labelCount(config));
    return (hidden, ctx) => ({ logits: classes.forward(hidden, ctx) });
  },
  BertForQuestionAnswering: (params, config) => {
    const span = classifier(params.at('span'), config, 2, 0);
    return (hidden, ctx) => answerSpan(span.forward(hidden, ctx));
  },
};

const own = bertSettings<BertConfig>({
  model_type: z.literal('bert').default('bert'),
  architectures: z.tuple([z.enum(Object.keys(heads) as BertArchitecture[])]).default(['BertModel']),
  vocab_size: size.default(30522),
  pad_token_id: tokenId.nullable().default(0),
});

/**
 * BERT: an encoder of post-norm blocks with learned positions and token types, under the head that
 * `architectures` names.
 *
 * @see Devlin et al. 2019, https://arxiv.org/abs/1810.04805
 */
function buildBert(params: ParamStore, config: BertConfig): EncoderModel {
  const { hidden_size: dim, max_position_embeddings: maxLength, pad_token_id } = config;
  const positions = new LearnedPosition(params.at('positions'), { maxLength, dim });
  const body = new BertBody(params, config, {
    positions: (x, _ids, ctx) => positions.forward(x, ctx),
    padId: paddingRow(pad_token_id, config.vocab_size, 'config.json'),
    maxLength,
  });
  return new BertModel(body, heads[config.architectures[0]](params, config, body));
}

/** The family `bert` in Hugging Face's layout. */
export const bert: ModelFamily<BertConfig> = {
  modelType: 'bert',
  parseConfig(json, name = 'config.json') {
    return checkBertSizes(own.parse(json, name), name);
  },
  settings: own,
  depths: ['num_hidden_layers'],
  configJson: (config) => ({ ...config }),
  build: buildBert,
  keys: ({ architectures: [head] }) => [
    ...bertKeys(head === 'BertModel' ? '' : 'bert.'),
    ['head.dense', 'cls.predictions.transform.dense'],
    ['head.norm', 'cls.predictions.transform.LayerNorm'],
    ['head', 'cls.predictions'],
    ['nextSentence', 'cls.seq_relationship'],
    ['classifier', 'classifier'],
    ['span', 'qa_outputs'],
  ],
  keyPrefix: 'bert.',
  copies: ({ architectures: [head], tie_word_embeddings: tied }) =>
    tied && /MaskedLM$|PreTraining$/.test(head)
      ? [
          ['cls.predictions.decoder.weight', 'bert.embeddings.word_embeddings.weight'],
          ['cls.predictions.decoder.bias', 'cls.predictions.bias'],
        ]
      : [],
  fitted: (config, held) => fittedBert(config, held, config.architectures[0] === 'BertModel'),
  ignoredKeys: /\.position_ids$/,
  oldKey: oldBertKey,
};
