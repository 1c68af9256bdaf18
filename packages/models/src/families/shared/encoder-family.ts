import { z } from 'zod';
import type {
  HeadPart,
  MaskedLanguageModelHead,
  ModelConfiguration,
  OfKind,
} from '../../build/model-configuration.js';
import type { KeyCopy, KeyTable, ModelFamily } from '../../family.js';
import { classes, depth, labelCount, rate, size, tokenId } from '../../fields.js';
import { checkDivides } from '../../parse-with.js';
import { type ActivationName, activation } from './activations.js';
import { paddingRow } from './decoder-head.js';
import { encoderLayers } from './encoder-layers.js';
import { withoutLostHead } from './headless.js';
import { type SettingsNames, settings } from './settings.js';

/** The settings that an encoder of Hugging Face's has under any head; other keys are kept as they are. */
export interface EncoderConfig {
  [key: string]: unknown;
  model_type: string;
  /** One, which names the head. */
  architectures: readonly [string];
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
  /** The number of rows in the table of positions. */
  max_position_embeddings: number;
  /** The standard deviation of the initial weights. */
  initializer_range: number;
  layer_norm_eps: number;
  pad_token_id: number | null;
  /** Whether the head of masked tokens has the embeddings' weights. */
  tie_word_embeddings: boolean;
  /** The names of the classes of a classifier. */
  id2label?: Record<string, string> | null | undefined;
  /** Their number, where they have no names; default 2. */
  num_labels?: number | undefined;
}

/** The settings of {@link EncoderConfig} in a schema, with the defaults that most have. */
const shared = {
  hidden_size: size.default(768),
  num_hidden_layers: depth.default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  hidden_act: activation('gelu'),
  hidden_dropout_prob: rate.default(0.1),
  attention_probs_dropout_prob: rate.default(0.1),
  max_position_embeddings: size.default(512),
  initializer_range: z.number().nonnegative().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-12),
  pad_token_id: tokenId.nullable().default(0),
  tie_word_embeddings: z.boolean().default(true),
  ...classes,
  // The settings of quantised weights are read, and taken away, before a family sees them.
  quantization_config: z.null().optional(),
};

/** What encoders are called in transformers, behind the family's name. */
export type EncoderKind =
  | 'Model'
  | 'ForMaskedLM'
  | 'ForPreTraining'
  | 'ForSequenceClassification'
  | 'ForTokenClassification'
  | 'ForQuestionAnswering';

/** What a family of encoders is made of. */
export interface EncoderRecipe<Config extends EncoderConfig> {
  modelType: string;
  /** What the names of transformers' classes begin with. */
  className: string;
  /** Its settings, beside and above those that all share; `undefined` takes a shared one away. */
  shape: Readonly<Record<string, z.ZodType | undefined>>;
  names?: SettingsNames | undefined;
  /** The heads that it has, the bare model's first. */
  heads: { readonly [K in EncoderKind]?: ((config: Config) => HeadPart) | undefined } & {
    readonly Model: (config: Config) => HeadPart;
  };
  /** Its parts, from those of a BERT of the same sizes without token types and pooler. */
  parts?(config: Config, bert: ModelConfiguration): ModelConfiguration;
  /** Its keys, of the body with `keyPrefix` and of its heads without. */
  keys(config: Config, kind: EncoderKind): KeyTable;
  keyPrefix: string;
  /** Copies of tied weights, of a model with the head of masked tokens. */
  copies: readonly KeyCopy[];
  /** The key of the pooler's weight without prefix, which the bare model may lack. */
  pooler?: string | undefined;
  /** @throws InputError naming the key, what it holds and what was expected */
  check?(config: Config, name: string): void;
}

/** The head of scores of masked tokens, tied as the settings say. */
export const maskedHead = ({
  tie_word_embeddings: tied,
}: Pick<EncoderConfig, 'tie_word_embeddings'>): MaskedLanguageModelHead => ({
  kind: 'masked-language-model',
  tied,
});

/** The head of one label for each token. */
export const tokenClasses = (
  config: EncoderConfig,
  dropout: number,
): OfKind<HeadPart, 'token-classification'> => ({
  kind: 'token-classification',
  labels: labelCount(config),
  dropout,
});

/** What a BERT's parts are made from. */
type BertSettings = Pick<
  EncoderConfig,
  | 'vocab_size'
  | 'hidden_size'
  | 'num_hidden_layers'
  | 'num_attention_heads'
  | 'intermediate_size'
  | 'hidden_act'
  | 'hidden_dropout_prob'
  | 'attention_probs_dropout_prob'
  | 'max_position_embeddings'
  | 'initializer_range'
  | 'layer_norm_eps'
  | 'pad_token_id'
>;

/** A BERT without token types and pooler: post-norm blocks above `norm(E_t + P_t)`. */
export function bertParts(config: BertSettings, head: HeadPart): ModelConfiguration {
  return {
    ...encoderLayers(config, config.attention_probs_dropout_prob),
    topology: 'encoder',
    vocabSize: config.vocab_size,
    maxLength: config.max_position_embeddings,
    embedding: {
      norm: true,
      padId: paddingRow(config.pad_token_id, config.vocab_size, 'config.json'),
      dropout: config.hidden_dropout_prob,
    },
    position: { kind: 'learned' },
    block: 'post-norm',
    dropout: config.hidden_dropout_prob,
    head,
  };
}

const withoutPrefix = (table: KeyTable, prefix: string): KeyTable =>
  table.map(([ours, theirs, ...rest]) => [
    ours,
    theirs.startsWith(prefix) ? theirs.slice(prefix.length) : theirs,
    ...rest,
  ]);

/** A family of encoders. */
export function encoderFamily<Config extends EncoderConfig>({
  modelType,
  className,
  shape,
  names = {},
  heads,
  parts = (_, bert) => bert,
  keys,
  keyPrefix,
  copies,
  pooler,
  check,
}: EncoderRecipe<Config>): ModelFamily<Config> {
  const classNames = Object.keys(heads).map((kind) => `${className}${kind}`);
  const kindOf = ({ architectures: [name] }: Config) => name.slice(className.length) as EncoderKind;
  const all = {
    model_type: z.literal(modelType).default(modelType),
    architectures: z.tuple([z.enum(classNames)]).default([`${className}Model`]),
    ...(pooler === undefined ? {} : { add_pooling_layer: z.boolean().default(true) }),
    ...shared,
    ...shape,
  };
  const own = settings<Config>(
    Object.fromEntries(Object.entries(all).filter(([, one]) => one !== undefined)) as z.ZodRawShape,
    { ...names, kept: ['position_ids', ...(names.kept ?? [])] },
  );
  return {
    modelType,
    parseConfig(json, name = 'config.json') {
      const config = own.parse(json, name);
      const { hidden_size: dim, num_attention_heads: count } = config;
      checkDivides(name, 'hidden_size', dim, 'num_attention_heads', count);
      paddingRow(config.pad_token_id, config.vocab_size, name);
      check?.(config, name);
      return config;
    },
    settings: own,
    configJson: (config) => ({ ...config }),
    preset: (config) => parts(config, bertParts(config, heads[kindOf(config)]!(config))),
    keys(config) {
      const kind = kindOf(config);
      const table = keys(config, kind);
      return kind === 'Model' ? withoutPrefix(table, keyPrefix) : table;
    },
    keyPrefix,
    copies: (config) =>
      config.tie_word_embeddings && heads[kindOf(config)]!(config).kind === 'masked-language-model'
        ? copies
        : [],
    fitted(config, { has, differing }) {
      const table = keys(config, kindOf(config));
      const own = withoutLostHead(config, `${className}Model`, table, { has });
      return {
        ...own,
        ...(pooler !== undefined && kindOf(own) === 'Model' && !has(pooler)
          ? { add_pooling_layer: false }
          : {}),
        ...(differing.length > 0 ? { tie_word_embeddings: false } : {}),
      };
    },
    ignoredKeys: /\.position_ids$/,
  };
}
