import {
  type EncoderDecoderModel,
  type EncoderModel,
  InputError,
  isEncoder,
  isEncoderDecoder,
  isLanguageModel,
  type LanguageModel,
  type Network,
  type Packing,
  type ParamSource,
  ParamStore,
} from '@headwise/core';
import { checkWeightsBind } from './bindable.js';
import { buildModel } from './build/build-model.js';
import type { DecoderConfiguration, ModelConfiguration } from './build/model-configuration.js';
import type { Written } from './build/written.js';
import { changed, type PresetChange } from './change.js';
import { refuseUnknownKeys } from './families/shared/settings.js';
import { type FamilyConfiguration, readConfiguration } from './families.js';
import type { ModelFamily } from './family.js';
import { checkModelFits, shapesOf, sizeOfPreset } from './size.js';
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
  | 'qwen3'
  | 'mixtral'
  | 'qwen3_moe'
  | 'gemma'
  | 'gemma2'
  | 'gemma3_text'
  | 'gpt_neox'
  | 'smollm3'
  | 'phi'
  | 'phi3'
  | 'olmo2'
  | 'olmo3'
  | 'opt'
  | 'gptj'
  | 'stablelm'
  | 'starcoder2'
  | 'granite'
  | 'transfo-xl';

/** The settings of a decoder with a head that scores the next token, by Hugging Face's names. */
export interface DecoderSettings {
  [key: string]: unknown;
  model_type: DecoderFamily;
  architectures?: readonly (`${string}LMHeadModel` | `${string}ForCausalLM`)[] | undefined;
}

/** The families that are encoders. */
export type EncoderFamily =
  | 'bert'
  | 'roberta'
  | 'xlm-roberta'
  | 'camembert'
  | 'distilbert'
  | 'electra'
  | 'albert'
  | 'mpnet'
  | 'modernbert'
  | 'deberta-v2'
  | 'vit'
  | 'clip_vision_model'
  | 'clip_text_model';

/** The settings of an encoder, by Hugging Face's names; `architectures` names its head. */
export interface EncoderSettings {
  [key: string]: unknown;
  model_type: EncoderFamily;
}

/** The settings of an encoder-decoder, by Hugging Face's names; `marian` is the Transformer of 2017. */
export interface EncoderDecoderSettings {
  [key: string]: unknown;
  model_type:
    | 'marian'
    | 'bart'
    | 'mbart'
    | 'pegasus'
    | 'm2m_100'
    | 't5'
    | 'mt5'
    | 'umt5'
    | 'vision-encoder-decoder'
    | 'whisper';
}

/** The settings of a decoder that looks at states which the caller gives. */
export interface CrossDecoderSettings extends DecoderSettings {
  model_type: 'gpt2';
  add_cross_attention: true;
}

/** What a configuration's type says about its network; any network where it says nothing. */
export type NetworkOf<C> = C extends CrossDecoderSettings
  ? EncoderDecoderModel
  : C extends DecoderConfiguration | DecoderSettings
    ? LanguageModel
    : C extends EncoderSettings
      ? EncoderModel
      : C extends EncoderDecoderSettings
        ? EncoderDecoderModel
        : C extends { topology: 'encoder' }
          ? EncoderModel
          : C extends { topology: 'encoder-decoder' }
            ? EncoderDecoderModel
            : Network;

/**
 * A model from its configuration: a {@link ModelConfiguration}, which takes parts of one's own beside the named kinds, or
 * a family's `config.json`.
 *
 * @throws InputError for an unknown `model_type`, for keys that nothing reads, for a configuration that does not hold
 * together, for a model that does not fit into memory, and for a weight that the GPU cannot bind
 * @example
 * const llama = createModel({ model_type: 'llama', hidden_size: 64, num_attention_heads: 4, num_hidden_layers: 2 });
 */
export function createModel(
  config: CrossDecoderSettings,
  options?: CreateOptions,
): Model<EncoderDecoderModel>;
export function createModel(
  config: Written<DecoderConfiguration> | DecoderSettings,
  options?: CreateOptions,
): Model<LanguageModel>;
export function createModel(config: EncoderSettings, options?: CreateOptions): Model<EncoderModel>;
export function createModel(
  config: EncoderDecoderSettings,
  options?: CreateOptions,
): Model<EncoderDecoderModel>;
export function createModel<const C>(config: C, options?: CreateOptions): Model<NetworkOf<C>>;
export function createModel(json: unknown, options: CreateOptions = {}): Model {
  return modelOf(json, options, packingOf('createModel', options));
}

/** {@link createModel} with a packing of one's own. */
export function modelOf(
  json: unknown,
  options: CreateOptions,
  packing: Packing | undefined,
): Model {
  return makeModel(readKnown(json, options.name), options, packing);
}

/** Reads a configuration, and refuses keys that nothing reads. */
function readKnown(json: unknown, name = 'config.json'): FamilyConfiguration {
  const read = readConfiguration(json, name);
  if (read.family.settings) refuseUnknownKeys(read.family.settings, json, name);
  return read;
}

/**
 * The parts of the model that {@link createModel} makes of a configuration, without making it.
 *
 * @throws InputError as `createModel` does
 * @example
 * modelParts({ model_type: 'gpt2' }).maxLength; // 1024
 */
export function modelParts(json: unknown, name?: string): ModelConfiguration {
  const { family, config } = readKnown(json, name);
  return family.preset(config);
}

/** A model of a configuration that was read, with initial parameters. */
export function makeModel(
  read: FamilyConfiguration,
  options: CreateOptions,
  packing: Packing | undefined,
): Model {
  const { name = 'config.json', memoryLimit, seed, source, dtype = 'f32' } = options;
  const { family, config } = read;
  const preset = family.preset(config);
  const size = sizeOfPreset(preset);
  checkModelFits(size, { copies: leastBytes[dtype], memoryLimit, name });
  checkWeightsBind(size, () => shapesOf(preset), options, name);
  const params = new ParamStore({ seed, source, packing });
  try {
    return { family, config, params, network: buildModel(params, preset) };
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

/**
 * A model of a family, with its usual settings where none are given, and with some parts exchanged.
 *
 * @throws InputError for settings that do not hold together
 * @example
 * const model = modelFromPreset('llama', { hidden_size: 64, num_attention_heads: 4 }, { change: { position: { kind: 'alibi' } } });
 */
export function modelFromPreset(
  family: DecoderFamily,
  settings?: Omit<DecoderSettings, 'model_type'>,
  options?: PresetOptions,
): Model<LanguageModel>;
export function modelFromPreset(
  family: EncoderSettings['model_type'],
  settings?: Omit<EncoderSettings, 'model_type'>,
  options?: PresetOptions,
): Model<EncoderModel>;
export function modelFromPreset(
  family: EncoderDecoderSettings['model_type'],
  settings?: Omit<EncoderDecoderSettings, 'model_type'>,
  options?: PresetOptions,
): Model<EncoderDecoderModel>;
export function modelFromPreset(
  family: string,
  settings: Record<string, unknown> = {},
  { change, ...options }: PresetOptions = {},
): Model {
  const json = { ...settings, model_type: family };
  if (!change) return createModel(json, options);
  return makeModel(
    changed(readKnown(json, options.name), change),
    options,
    packingOf('createModel', options),
  );
}

/** Options of a model of a family. */
export interface PresetOptions extends CreateOptions {
  /** The parts that the model has instead of its family's. */
  change?: PresetChange | undefined;
}
