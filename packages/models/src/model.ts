import {
  checkPart,
  type EncoderDecoderModel,
  type EncoderModel,
  InputError,
  isEncoder,
  isEncoderDecoder,
  isLanguageModel,
  type LanguageModel,
  type Network,
  type ParamSource,
  ParamStore,
  quoted,
} from '@headwise/core';
import type { DecoderConfiguration, ModelConfiguration } from './build/model-configuration.js';
import { parseConfiguration } from './build/parse-configuration.js';
import { refuseUnknownKeys } from './families/shared/settings.js';
import { families, familyOf } from './families.js';
import type { ModelFamily } from './family.js';
import { checkModelFits, sizeOfConfig } from './size.js';
import { leastBytes, packingOf, type WeightOptions } from './weight-options.js';

/** A model with what is needed to train, save and dispose it. */
export interface Model<N extends Network = Network> {
  readonly family: ModelFamily;
  readonly config: unknown;
  readonly params: ParamStore;
  readonly network: N;
}

export interface CreateOptions extends WeightOptions {
  /** The seed of the initial parameters; default 0. */
  seed?: number | undefined;
  /** Where parameters come from instead. */
  source?: ParamSource | undefined;
  /** Names the configuration in errors; default `config.json`. */
  name?: string | undefined;
  /** Bytes that the model may take; default the limit of this process, see {@link checkModelFits}. */
  memoryLimit?: number | undefined;
}

/** The families that are decoders. */
export type DecoderFamily =
  | 'gpt2'
  | 'bloom'
  | 'falcon'
  | 'llama'
  | 'mistral'
  | 'qwen2'
  | 'transfo-xl';

/** The settings of a decoder with a head that scores the next token, by Hugging Face's names. */
export interface DecoderSettings {
  [key: string]: unknown;
  model_type: DecoderFamily;
  architectures?: readonly (`${string}LMHeadModel` | `${string}ForCausalLM`)[];
}

/** The settings of an encoder, by Hugging Face's names; `architectures` names its head. */
export interface EncoderSettings {
  [key: string]: unknown;
  model_type: 'bert' | 'roberta' | 'xlm-roberta' | 'camembert';
}

/** The settings of an encoder-decoder, by Hugging Face's names; `marian` is the Transformer of 2017. */
export interface EncoderDecoderSettings {
  [key: string]: unknown;
  model_type: 'marian' | 'bart' | 't5';
}

/**
 * A model from its configuration: a {@link ModelConfiguration}, or a family's `config.json`.
 *
 * @throws InputError for an unknown `model_type`, for keys that nothing reads, for a configuration that does not hold
 * together, and for a model that does not fit into memory
 * @example
 * const llama = createModel({ model_type: 'llama', hidden_size: 64, num_attention_heads: 4, num_hidden_layers: 2 });
 */
export function createModel(
  config: DecoderConfiguration | DecoderSettings,
  options?: CreateOptions,
): Model<LanguageModel>;
export function createModel(config: EncoderSettings, options?: CreateOptions): Model<EncoderModel>;
export function createModel(
  config: EncoderDecoderSettings,
  options?: CreateOptions,
): Model<EncoderDecoderModel>;
export function createModel(config: unknown, options?: CreateOptions): Model;
export function createModel(json: unknown, options: CreateOptions = {}): Model {
  const { name = 'config.json', memoryLimit, seed, source, dtype = 'f32' } = options;
  const packing = packingOf('createModel', options);
  const family = familyOf(json, name);
  if (family.settings) refuseUnknownKeys(family.settings, json, name);
  const config = family.parseConfig(json, name);
  const copies = leastBytes[dtype];
  checkModelFits(sizeOfConfig(family, config), { copies, memoryLimit, name });
  const params = new ParamStore({ seed, source, packing });
  try {
    return { family, config, params, network: family.build(params, config) };
  } catch (error) {
    params.dispose();
    throw error;
  }
}

/**
 * A model that scores the next token, from a model of any kind.
 *
 * @throws InputError where it does something else
 */
export function languageModel<M extends Model>(model: M): M & Model<LanguageModel> {
  const { network } = model;
  if (isLanguageModel(network)) return { ...model, network };
  throw new InputError(
    `the model of family '${model.family.modelType}' does not score the next token; expected a decoder with a language model head`,
  );
}

/**
 * An encoder, from a model of any kind.
 *
 * @throws InputError where it is none
 */
export function encoderModel<M extends Model>(model: M): M & Model<EncoderModel> {
  const { network } = model;
  if (isEncoder(network)) return { ...model, network };
  throw new InputError(
    `the model of family '${model.family.modelType}' is not an encoder, nor a decoder that classifies`,
  );
}

/**
 * An encoder-decoder, from a model of any kind.
 *
 * @throws InputError where it is none
 */
export function encoderDecoderModel<M extends Model>(model: M): M & Model<EncoderDecoderModel> {
  const { network } = model;
  if (isEncoderDecoder(network)) return { ...model, network };
  throw new InputError(`the model of family '${model.family.modelType}' is not an encoder-decoder`);
}

const parts = "an object of parts, such as { position: { kind: 'alibi' } }";

/** What of a family's preset is exchanged. */
export type PresetChange = Partial<Omit<ModelConfiguration, 'model_type' | 'topology'>>;

/**
 * A decoder of a family, with its usual settings where none are given, and with some parts exchanged.
 *
 * @throws InputError for settings that do not hold together
 * @example
 * const model = modelFromPreset('llama', { hidden_size: 64, num_attention_heads: 4 }, { change: { position: { kind: 'alibi' } } });
 */
export function modelFromPreset(
  family: DecoderFamily,
  settings: Omit<DecoderSettings, 'model_type'> = {},
  { change, ...options }: CreateOptions & { change?: PresetChange | undefined } = {},
): Model<LanguageModel> {
  const json: DecoderSettings = { ...settings, model_type: family };
  if (!change) return createModel(json, options);
  refuseUnknownKeys(families[family]!.settings!, json, options.name ?? 'config.json');
  const changed = changedPreset(json, change, options.name) as DecoderConfiguration;
  return createModel(changed, options);
}

/**
 * The typed configuration of a family's `config.json`, with some parts exchanged.
 *
 * @throws InputError for a family whose parts cannot be exchanged, and for an inconsistent change
 */
export function changedPreset(
  json: unknown,
  change: PresetChange,
  name = 'config.json',
): ModelConfiguration {
  const family = familyOf(json, name);
  if (!family.preset) {
    throw new InputError(`${name}: the parts of family '${family.modelType}' cannot be exchanged`);
  }
  checkPart('change', change, [], parts);
  if (Array.isArray(change)) throw new InputError(`change is an array; expected ${parts}`);
  const preset = family.preset(family.parseConfig(json, name));
  for (const key of ['model_type', 'topology'] as const) {
    const given = (change as Partial<ModelConfiguration>)[key];
    if (given === undefined || given === preset[key]) continue;
    throw new InputError(
      `change: '${key}' is ${quoted(given)}; it is ${quoted(preset[key])} and no part to exchange`,
    );
  }
  const changed = { ...preset, ...change };
  // The preset by itself holds together: what does not is the change's.
  parseConfiguration(changed, 'change');
  return changed;
}
