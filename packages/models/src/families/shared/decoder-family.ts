import { InputError } from '@headwise/core';
import type { RotaryPart } from '@headwise/positions';
import { z } from 'zod';
import type {
  HeadPart,
  LanguageModelHead,
  ModelConfiguration,
} from '../../build/model-configuration.js';
import type { KeyTable, ModelFamily } from '../../family.js';
import { architecture, depth, rate, size, tokenId } from '../../fields.js';
import { checkDivides } from '../../parse-with.js';
import { type ActivationName, activation, activationOf } from './activations.js';
import { decoderHead, fittedHead, headCopy, paddingRow } from './decoder-head.js';
import {
  checkRope,
  partialPosition,
  type Rope,
  type RopeSettings,
  readRope,
  ropeShape,
} from './rope.js';
import { type SettingsNames, settings } from './settings.js';

/** The kinds of layers that `layer_types` names. */
export type LayerType = 'full_attention' | 'sliding_attention';

/** Settings that rotary decoders of Hugging Face share; other keys are kept as they are. */
export interface DecoderConfig extends RopeSettings {
  [key: string]: unknown;
  model_type: string;
  architectures?: readonly [string] | undefined;
  /** `V` */
  vocab_size: number;
  /** `D` */
  hidden_size: number;
  /** `F` */
  intermediate_size: number;
  /** `L` */
  num_hidden_layers: number;
  /** `H` */
  num_attention_heads: number;
  /** `Hkv`; null or absent: `H`. */
  num_key_value_heads?: number | null | undefined;
  /** `Dh`; null or absent: `D / H`. */
  head_dim?: number | null | undefined;
  hidden_act: ActivationName;
  max_position_embeddings: number;
  /** The padding embedding gets no gradient from lookups. */
  pad_token_id?: number | null | undefined;
  initializer_range: number;
  tie_word_embeddings: boolean;
  attention_dropout: number;
  /** Of root mean square norms. */
  rms_norm_eps?: number | undefined;
}

const shared = {
  vocab_size: size.default(32000),
  hidden_size: size.default(4096),
  intermediate_size: size.default(11008),
  num_hidden_layers: depth.default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullable().default(null),
  head_dim: size.nullish(),
  hidden_act: activation('silu'),
  max_position_embeddings: size.default(2048),
  initializer_range: z.number().nonnegative().default(0.02),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  attention_dropout: rate.default(0),
  pad_token_id: tokenId.nullish(),
  ...ropeShape,
  // The settings of quantised weights are read, and taken away, before a family sees them.
  quantization_config: z.null().optional(),
};

/** A setting that a family does not have: refused where it is asked for. */
export const without: z.ZodType<false> = z.literal(false).default(false) as never;

/** `layer_types`: the kind of each layer. */
export const layerTypes: z.ZodType<readonly LayerType[] | null | undefined> = z
  .array(z.enum(['full_attention', 'sliding_attention']))
  .nullish();

/** In what a family differs from a LLaMA of the same sizes. */
export interface DecoderRecipe<Config extends DecoderConfig> {
  modelType: string;
  /** What the names of transformers' classes begin with. */
  className: string;
  /** The class without a head; default `className` with `Model`. */
  bare?: string | undefined;
  /** Its settings, beside and above those that all share; `undefined` takes a shared one away. */
  shape: Readonly<Record<string, z.ZodType | undefined>>;
  names?: SettingsNames | undefined;
  /** Its rotary positions; default as `readRope` reads its settings. */
  rope?(config: Config, name: string): Rope;
  /** Its parts, from those of a LLaMA of the same sizes. */
  parts?(config: Config, llama: LlamaParts): ModelConfiguration;
  /** Its keys before those of a LLaMA, whose places they take. */
  keys?(config: Config): KeyTable;
  /** Before the keys of the bare model; default `model.`. */
  keyPrefix?: string | undefined;
  /** The key of the table of tokens; default LLaMA's. */
  table?: string | undefined;
  /** @throws InputError naming the key, what it holds and what was expected */
  check?(config: Config, name: string): void;
}

/** The parts of a LLaMA. */
export type LlamaParts = ModelConfiguration & { position: RotaryPart };

/** The settings of rotary positions: none of them, for a family without, or with others. */
export const noRope = {
  rope_parameters: undefined,
  rope_scaling: undefined,
  rope_theta: undefined,
  partial_rotary_factor: undefined,
  original_max_position_embeddings: undefined,
} as const;

/** A head of scores of tokens with some settings; another head as it is. */
export const withScores = (head: HeadPart, settings: Partial<LanguageModelHead>): HeadPart =>
  head.kind === 'language-model' ? { ...head, ...settings } : head;

/** The width of a head. */
export const headDimOf = (config: DecoderConfig): number =>
  config.head_dim ?? config.hidden_size / config.num_attention_heads;

/** The kind of each layer: as `layer_types` says, else every `pattern`th one sees all tokens. */
export const typesOf = (
  config: Pick<DecoderConfig, 'num_hidden_layers'> & {
    readonly layer_types?: readonly LayerType[] | null | undefined;
  },
  pattern: number,
): readonly LayerType[] =>
  config.layer_types ??
  Array.from({ length: config.num_hidden_layers }, (_, i) =>
    (i + 1) % pattern === 0 ? 'full_attention' : 'sliding_attention',
  );

/** The window of each layer, by its type. */
export const windowsOf = (
  types: readonly LayerType[],
  window: number | null | undefined,
): (number | null)[] =>
  types.map((type) => (type === 'sliding_attention' ? (window ?? null) : null));

const padIdOf = ({ pad_token_id, vocab_size }: DecoderConfig, name = 'config.json') =>
  paddingRow(pad_token_id, vocab_size, name);

const ropeOf = (config: DecoderConfig, name: string): Rope =>
  readRope(config, config.max_position_embeddings, name);

function llamaParts(config: DecoderConfig, rope: Rope, bare: string): LlamaParts {
  return {
    model_type: 'headwise',
    topology: 'decoder',
    vocabSize: config.vocab_size,
    maxLength: rope.maxLength,
    dim: config.hidden_size,
    layers: config.num_hidden_layers,
    embedding: { padId: padIdOf(config) },
    position: partialPosition(rope, headDimOf(config), 'config.json'),
    heads: {
      count: config.num_attention_heads,
      kv: config.num_key_value_heads ?? config.num_attention_heads,
      dim: headDimOf(config),
      bias: { qkv: false, out: false },
      window: null,
      dropout: config.attention_dropout,
    },
    norm: { kind: 'rms', epsilon: config.rms_norm_eps },
    feedForward: {
      kind: 'gated',
      hidden: config.intermediate_size,
      activation: activationOf(config.hidden_act),
      bias: false,
    },
    block: 'pre-norm',
    head: decoderHead(config, bare),
    layout: 'out-in',
    init: { std: config.initializer_range },
  };
}

const llamaKeys: KeyTable = [
  ['tokens', 'model.embed_tokens'],
  ['blocks.#.norm1', 'model.layers.#.input_layernorm'],
  ['blocks.#.attn.qProj', 'model.layers.#.self_attn.q_proj'],
  ['blocks.#.attn.kProj', 'model.layers.#.self_attn.k_proj'],
  ['blocks.#.attn.vProj', 'model.layers.#.self_attn.v_proj'],
  ['blocks.#.attn.outProj', 'model.layers.#.self_attn.o_proj'],
  ['blocks.#.attn.qNorm', 'model.layers.#.self_attn.q_norm'],
  ['blocks.#.attn.kNorm', 'model.layers.#.self_attn.k_norm'],
  ['blocks.#.norm2', 'model.layers.#.post_attention_layernorm'],
  ['blocks.#.mlp.gate', 'model.layers.#.mlp.gate_proj'],
  ['blocks.#.mlp.up', 'model.layers.#.mlp.up_proj'],
  ['blocks.#.mlp.down', 'model.layers.#.mlp.down_proj'],
  ['norm', 'model.norm'],
  ['head', 'lm_head'],
];

/** The schema of a family: what all share, without what it takes away, and its own. */
const shapeOf = (own: DecoderRecipe<never>['shape']): z.ZodRawShape =>
  Object.fromEntries(
    Object.entries({ ...shared, ...own }).filter(([, schema]) => schema !== undefined),
  ) as z.ZodRawShape;

/** A family of rotary decoders whose checkpoints are laid out as LLaMA's. */
export function decoderFamily<Config extends DecoderConfig>({
  modelType,
  className,
  bare = `${className}Model`,
  shape,
  names,
  rope = ropeOf,
  parts = (_, llama) => llama,
  keys = () => [],
  keyPrefix = 'model.',
  table = 'model.embed_tokens.weight',
  check,
}: DecoderRecipe<Config>): ModelFamily<Config> {
  const whole = `${className}ForCausalLM`;
  const own = settings<Config>(
    {
      model_type: z.literal(modelType).default(modelType),
      architectures: architecture(bare, whole),
      ...shapeOf(shape),
    },
    names,
  );
  const takenAway = Object.keys(shape).filter((key) => shape[key] === undefined);
  // A shared setting that the family does not have may stand in a file: it is kept there, and means nothing.
  const read = (config: Config): Config =>
    Object.fromEntries(
      Object.entries(config).filter(([key]) => !takenAway.includes(key)),
    ) as Config;
  return {
    modelType,
    parseConfig(json, name = 'config.json') {
      const config = own.parse(json, name);
      const sizes = read(config);
      checkSizes(sizes, rope(sizes, name), name);
      check?.(sizes, name);
      return config;
    },
    settings: own,
    configJson: (config) => ({ architectures: [whole], ...config }),
    preset(config) {
      const sizes = read(config);
      return parts(sizes, llamaParts(sizes, rope(sizes, 'config.json'), bare));
    },
    keys: (config) => [...keys(config), ...llamaKeys],
    keyPrefix,
    copies: headCopy(table),
    fitted: fittedHead(bare, whole),
    ignoredKeys:
      /\.rotary_emb\.inv_freq$|\.attn\.(bias|masked_bias)$|\.attention\.(bias|masked_bias)$/,
  };
}

function checkSizes(config: DecoderConfig, rope: Rope, name: string): void {
  const { hidden_size: dim, num_attention_heads: heads, num_key_value_heads: kv } = config;
  if (config.head_dim == null) {
    checkDivides(name, 'hidden_size', dim, 'num_attention_heads', heads);
  }
  checkDivides(name, 'num_attention_heads', heads, 'num_key_value_heads', kv ?? heads);
  checkLayerTypes(config, name);
  checkRope(rope, headDimOf(config), name);
  partialPosition(rope, headDimOf(config), name);
  padIdOf(config, name);
}

/** @throws InputError where `layer_types` has not one entry for each layer */
export function checkLayerTypes(
  config: Pick<DecoderConfig, 'num_hidden_layers'> & { readonly layer_types?: unknown },
  name: string,
): void {
  const { num_hidden_layers: layers } = config;
  const types = config.layer_types as readonly LayerType[] | null | undefined;
  if (!types || types.length === layers) return;
  throw new InputError(
    `${name}: 'layer_types' has ${types.length} entries; expected one for each of ${layers} layers`,
  );
}
