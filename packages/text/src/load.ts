import { type EncoderModel, InputError, isEncoder, isEncoderDecoder, quoted } from '@headwise/core';
import { type Generator, parseGenerationConfig } from '@headwise/generation';
import {
  type CheckpointFiles,
  type CheckpointPlace,
  encoderDecoderModel,
  encoderModel,
  type LoadedModel,
  type LoadOptions,
  languageModel,
  loadModel,
  type Model,
} from '@headwise/models';
import {
  checkpointFiles,
  findLogMelSettings,
  openBytes,
  openConfig,
  openJson,
  quantizationOf,
  readConfiguration,
} from '@headwise/models/internal';
import { type ChatTemplate, chatTemplateOf, Tokenizer, TokenizerError } from '@headwise/tokenizers';
import type { EmbeddingModel } from './embed.js';
import type { TextSettings } from './generate-text.js';
import type { RerankModel } from './rerank.js';
import { isReranker, rerankSettings } from './reranker.js';
import { sentenceSettings } from './sentence-model.js';
import { isSpeechKey, parseSpeechSettings, type SpeechSettings } from './speech-settings.js';
import type { SpeechModel } from './transcribe.js';

export const generationConfigName = 'generation_config.json';

export interface LoadTextOptions extends LoadOptions {
  /** Leave `generation_config.json` aside. Default false: generation takes its settings from there. */
  ignoreGenerationConfig?: boolean | undefined;
  /** A chat template in Jinja that takes the place of the folder's; its special tokens are the folder's. Default none. */
  chatTemplate?: string | undefined;
  /** Called with one line for each setting of the folder that has no effect; default `console.warn`. */
  warn?: ((line: string) => void) | undefined;
}

/** A model folder's decoder or encoder-decoder, tokenizer, chat template and generation settings. */
export interface LoadedText {
  /** With the folder's generation settings and chat template, and what it says of speech; `model.params.dispose()` frees it. */
  readonly model: LoadedModel & Model<Generator> & SpeechModel;
  readonly tokenizer: Tokenizer;
}

/** A model folder's encoder and tokenizer. */
export interface LoadedEncoder {
  /** With what the folder says of its vectors, or of its scores of pairs; `model.params.dispose()` frees it. */
  readonly model: LoadedModel & Model<EncoderModel> & EmbeddingModel & RerankModel;
  readonly tokenizer: Tokenizer;
}

/** How the files beside the weights are read. */
export interface TextFiles {
  /** `generation_config.json`, parsed, and its name for errors. */
  generationConfig(): Promise<{ json: unknown; name: string } | undefined>;
  tokenizer(): Promise<Tokenizer>;
  chatTemplate(): Promise<ChatTemplate | undefined>;
}

/**
 * Loads a decoder or an encoder-decoder with its tokenizer, chat template and generation settings, from a folder in the layout of
 * Hugging Face.
 *
 * They are of a GGUF file, or of a folder with `config.json`, `model.safetensors` or its shards, `tokenizer.json`, and where they are there
 * `generation_config.json`, `chat_template.jinja` and `tokenizer_config.json`.
 *
 * @param place the address of the folder or of the GGUF file, or files that a person chose
 * @throws InputError, TokenizerError or SafetensorsError naming the file, what is wrong with it and what was expected
 * @example
 * const { model, tokenizer } = await load('https://models.example/gpt2', { dtype: 'f16' });
 * const text = await generateText(model, tokenizer, 'Call me');
 */
export async function load(
  place: CheckpointPlace,
  options: LoadTextOptions = {},
): Promise<LoadedText> {
  return generating(await loadAny(place, options));
}

/**
 * Loads what `load` loads, or an encoder as `loadEmbeddingModel` does.
 *
 * @throws InputError, TokenizerError or SafetensorsError naming the file, what is wrong with it and what was expected
 */
export async function loadAny(
  place: CheckpointPlace,
  options: LoadTextOptions = {},
): Promise<LoadedText | LoadedEncoder> {
  const files = checkpointFiles(place, options);
  return loadFiles(files, webFiles(files, options.chatTemplate), options);
}

/** @throws InputError for an encoder, which is freed */
export function generating(loaded: LoadedText | LoadedEncoder): LoadedText {
  if (isText(loaded)) return loaded;
  loaded.model.params.dispose();
  throw new InputError(
    `the model of family '${loaded.model.family.modelType}' is an encoder and writes no text; expected a decoder or an encoder-decoder`,
  );
}

const isText = (loaded: LoadedText | LoadedEncoder): loaded is LoadedText =>
  !isEncoder(loaded.model.network);

/** Loads as `loadAny` does; what is small comes first, so that a fault in it is known before the weights are read. */
export async function loadFiles(
  files: CheckpointFiles,
  beside: TextFiles,
  { ignoreGenerationConfig, chatTemplate: _, warn = console.warn, ...options }: LoadTextOptions,
): Promise<LoadedText | LoadedEncoder> {
  const tokenizer = await beside.tokenizer();
  const chatTemplate = await beside.chatTemplate();
  const { settings, speech, unknown } = ignoreGenerationConfig
    ? { settings: {}, speech: undefined, unknown: [] }
    : await generationSettings(files, beside);
  for (const key of unknown) {
    warn(`headwise: generation_config.json: '${key}' is not a key of generate and has no effect`);
  }
  const loaded = await loadModel(files, options);
  try {
    if (isEncoder(loaded.network)) {
      const settings = isReranker(loaded)
        ? { reranking: await rerankSettings(files, loaded) }
        : { embedding: await sentenceSettings(files) };
      return { model: { ...encoderModel(loaded), ...settings }, tokenizer };
    }
    const model = isEncoderDecoder(loaded.network)
      ? encoderDecoderModel(loaded)
      : languageModel(loaded);
    // An encoder-decoder is not drafted for, which changes no token.
    const generation = isEncoderDecoder(loaded.network)
      ? { ...settings, speculation: undefined }
      : settings;
    return { model: { ...model, generation, chatTemplate, speech }, tokenizer };
  } catch (error) {
    loaded.params.dispose();
    throw error;
  }
}

/** An encoder, or a decoder with hidden states, its tokenizer, and how it makes vectors. */
export interface LoadedEmbeddingModel {
  /** `model.params.dispose()` frees it. */
  readonly model: LoadedModel & EmbeddingModel;
  readonly tokenizer: Tokenizer;
}

/**
 * Loads a sentence model with its tokenizer, for `embed`: a folder of sentence-transformers with its pooling, projections,
 * normalisation and prompts, or any encoder or decoder in the layout of Hugging Face.
 *
 * @param place the folder's address on the web, or files that a person chose
 * @throws InputError, TokenizerError or SafetensorsError naming the file, what is wrong with it and what was expected
 * @example
 * const { model, tokenizer } = await loadEmbeddingModel('https://models.example/all-MiniLM-L6-v2');
 * const [vector] = await embed(model, tokenizer, ['A cat sat.']);
 */
export async function loadEmbeddingModel(
  place: CheckpointPlace,
  options: LoadOptions = {},
): Promise<LoadedEmbeddingModel> {
  const files = checkpointFiles(place, options);
  return loadEmbeddingFiles(files, webFiles(files, undefined), options);
}

/** Loads as `loadEmbeddingModel` does. */
export async function loadEmbeddingFiles(
  files: CheckpointFiles,
  beside: Pick<TextFiles, 'tokenizer'>,
  options: LoadOptions,
): Promise<LoadedEmbeddingModel> {
  const tokenizer = await beside.tokenizer();
  const embedding = await sentenceSettings(files);
  return { model: { ...(await loadModel(files, options)), embedding }, tokenizer };
}

/** A cross-encoder, its tokenizer, and how it scores pairs. */
export interface LoadedReranker {
  /** `model.params.dispose()` frees it. */
  readonly model: LoadedModel & RerankModel;
  readonly tokenizer: Tokenizer;
}

/**
 * Loads a cross-encoder with its tokenizer, for `rerank`: a folder of sentence-transformers or in the layout of Hugging Face, whose
 * model classifies sequences by one label.
 *
 * @param place the folder's address on the web, or files that a person chose
 * @throws InputError, TokenizerError or SafetensorsError naming the file, what is wrong with it and what was expected
 * @example
 * const { model, tokenizer } = await loadReranker('https://models.example/ms-marco-MiniLM-L6-v2');
 */
export async function loadReranker(
  place: CheckpointPlace,
  options: LoadOptions = {},
): Promise<LoadedReranker> {
  const files = checkpointFiles(place, options);
  return loadRerankerFiles(files, webFiles(files, undefined), options);
}

/** Loads as `loadReranker` does; a model that is none is refused before its weights are read. */
export async function loadRerankerFiles(
  files: CheckpointFiles,
  beside: Pick<TextFiles, 'tokenizer'>,
  options: LoadOptions,
): Promise<LoadedReranker> {
  const tokenizer = await beside.tokenizer();
  const { json: document, name } = await openConfig(files);
  const { json } = quantizationOf(document, name);
  const read = readConfiguration(json, name);
  if (!isReranker(read)) {
    throw new InputError(
      `${name}: 'architectures' is ${quoted((json as Record<string, unknown>).architectures)}; expected a classifier of sequences with one label, whose score ranks texts`,
    );
  }
  const reranking = await rerankSettings(files, read);
  return { model: { ...(await loadModel(files, options)), reranking }, tokenizer };
}

/**
 * What a folder says about generation: its `generation_config.json`; without one, the end tokens of its
 * `config.json`, as transformers 5 takes them.
 */
export async function generationSettings(
  files: CheckpointFiles,
  beside: Pick<TextFiles, 'generationConfig'> = webFiles(files, undefined),
): Promise<{ settings: TextSettings; speech?: SpeechSettings | undefined; unknown: string[] }> {
  const found = await beside.generationConfig();
  if (found) {
    const { options, stopTexts, unknown } = parseGenerationConfig(found.json, found.name);
    const settings = stopTexts.length > 0 ? { ...options, stop: stopTexts } : options;
    const speech = parseSpeechSettings(found.json, found.name);
    if (!speech) return { settings, unknown };
    const features = await findLogMelSettings(files);
    return {
      ...{ settings, speech: { ...speech, features } },
      unknown: unknown.filter((key) => !isSpeechKey(key)),
    };
  }
  const { json, name } = await openConfig(files);
  const eos = (json as { eos_token_id?: unknown } | null)?.eos_token_id;
  const { stopIds } = parseGenerationConfig({ eos_token_id: eos }, name).options;
  // Without a file, sampling keeps its defaults.
  return { settings: stopIds ? { stopIds } : {}, unknown: [] };
}

/** The files beside the weights, wherever they lie. */
export function webFiles(files: CheckpointFiles, template: string | undefined): TextFiles {
  return {
    generationConfig: () => openJson(files, generationConfigName),
    async tokenizer() {
      const found = await openBytes(files, 'tokenizer.json');
      if (found) return Tokenizer.fromBytes(found.bytes, found.name);
      throw new TokenizerError(
        `${files.name === '' ? '' : `${files.name}: `}tokenizer.json is missing; expected it beside the weights`,
      );
    },
    async chatTemplate() {
      const config = await openJson(files, 'tokenizer_config.json');
      const source = template ?? (await textOf(files, 'chat_template.jinja'));
      return chatTemplateOf(config?.json ?? {}, {
        templates: source === undefined ? {} : { default: source },
        ...(config ? { name: config.name } : {}),
      });
    },
  };
}

async function textOf(files: CheckpointFiles, name: string): Promise<string | undefined> {
  const found = await openBytes(files, name);
  return found && new TextDecoder().decode(found.bytes);
}
