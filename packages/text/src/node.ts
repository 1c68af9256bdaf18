import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckpointPlace, LoadOptions } from '@headwise/models';
import { checkConfigFits } from '@headwise/models/internal';
import {
  diskFiles,
  folderFiles,
  type HubFolderOptions,
  modelFolder,
  readJson,
} from '@headwise/models/node';
import type { Tokenizer } from '@headwise/tokenizers';
import { findChatTemplate, loadTokenizer } from '@headwise/tokenizers/node';
import {
  generating,
  generationConfigName,
  type LoadedEmbeddingModel,
  type LoadedEncoder,
  type LoadedReranker,
  type LoadedText,
  type LoadTextOptions,
  loadEmbeddingFiles,
  loadEmbeddingModel as loadEmbeddingFrom,
  loadFiles,
  loadAny as loadFrom,
  loadRerankerFiles,
  loadReranker as loadRerankerFrom,
  webFiles,
} from './load.js';

export type { DenseLayer } from './dense-layer.js';
export { type EmbeddingModel, type EmbedOptions, embed } from './embed.js';
export {
  generateText,
  type Prompt,
  promptIds,
  type StreamTextOptions,
  streamText,
  type TextModel,
  type TextOptions,
  type TextPiece,
  type TextSettings,
} from './generate-text.js';
export { generateTexts } from './generate-texts.js';
export type { Languages } from './languages.js';
export type {
  LoadedEmbeddingModel,
  LoadedEncoder,
  LoadedReranker,
  LoadedText,
  LoadTextOptions,
} from './load.js';
export type { Pooling } from './pooling.js';
export {
  type RankedText,
  type RerankModel,
  type RerankOptions,
  rerank,
} from './rerank.js';
export type { RerankActivation, RerankSettings } from './reranker.js';
export type { SentenceSettings } from './sentence-model.js';
export type { SpeechSettings } from './speech-settings.js';

/**
 * Loads as `load` of `@headwise/text` does, also from a GGUF file or a folder on disk, whose `additional_chat_templates` are read too.
 *
 * @param place its path, a repository of a hub as `owner/name`, or where else a checkpoint may be; a text that begins
 * with `http:` or `https:` is an address
 * @throws InputError, TokenizerError or SafetensorsError naming the file, what is wrong with it and what was expected
 */
export async function load(
  place: CheckpointPlace,
  options: LoadTextOptions & HubFolderOptions = {},
): Promise<LoadedText> {
  return generating(await loadAny(place, options));
}

/**
 * Loads as `loadAny` of `@headwise/text` does, also from a folder on disk.
 *
 * @throws InputError, TokenizerError or SafetensorsError naming the file, what is wrong with it and what was expected
 */
export async function loadAny(
  place: CheckpointPlace,
  options: LoadTextOptions & HubFolderOptions = {},
): Promise<LoadedText | LoadedEncoder> {
  if (typeof place !== 'string' || /^https?:/.test(place)) return loadFrom(place, options);
  const folder = await folderOf(place, options);
  const disk = diskFiles(folder);
  // All is in a GGUF file.
  if (disk.tensors) return loadFrom(disk, options);
  const path = join(folder, generationConfigName);
  const files = {
    // People edit it: it is not compared with the hash that the folder was saved with.
    generationConfig: async () =>
      existsSync(path) ? { json: await readJson(path), name: path } : undefined,
    tokenizer: () => loadTokenizer(folder),
    chatTemplate: () => findChatTemplate(folder, options.chatTemplate),
  };
  return loadFiles(disk, files, options);
}

/**
 * The tokenizer of a model on disk: of its folder, or of a GGUF file.
 *
 * @throws TokenizerError or InputError naming the file and what is wrong with it
 */
export async function loadTokenizerOf(path: string): Promise<Tokenizer> {
  const disk = diskFiles(path);
  return disk.tensors ? webFiles(disk, undefined).tokenizer() : loadTokenizer(path);
}

/** The folder of a path, or of a repository of a hub whose model fits into memory. */
const folderOf = (place: string, options: LoadOptions & HubFolderOptions): Promise<string> =>
  modelFolder(place, {
    checkConfig: (json, name, packedBytes) =>
      checkConfigFits(json, name, { ...options, packedBytes }),
    ...options,
  });

export { type ToolCallForm, type ToolCallFormOptions, toolCallForm } from './tool-call-form.js';
export { readsTools, type ToolCall, ToolCallParser, type ToolCallPiece } from './tool-calls.js';
export {
  type SpeechModel,
  type TranscribedSegment,
  type TranscribeOptions,
  type Transcription,
  transcribe,
} from './transcribe.js';

/**
 * Loads a sentence model as `loadEmbeddingModel` of `@headwise/text` does, also from a folder on disk.
 *
 * @param place the folder's path, a repository of a hub as `owner/name`, or where else a checkpoint may be; a text that begins
 * with `http:` or `https:` is an address
 * @throws InputError, TokenizerError or SafetensorsError naming the file, what is wrong with it and what was expected
 */
export async function loadEmbeddingModel(
  place: CheckpointPlace,
  options: LoadOptions & HubFolderOptions = {},
): Promise<LoadedEmbeddingModel> {
  if (typeof place !== 'string' || /^https?:/.test(place)) return loadEmbeddingFrom(place, options);
  const folder = await folderOf(place, options);
  const tokenizer = () => loadTokenizerOf(folder);
  return loadEmbeddingFiles(diskFiles(folder), { tokenizer }, options);
}

/**
 * Loads a cross-encoder as `loadReranker` of `@headwise/text` does, also from a folder on disk.
 *
 * @param place the folder's path, or where else a checkpoint may be; a text that begins with `http:` or `https:` is
 * an address
 * @throws InputError, TokenizerError or SafetensorsError naming the file, what is wrong with it and what was expected
 */
export async function loadReranker(
  place: CheckpointPlace,
  options: LoadOptions = {},
): Promise<LoadedReranker> {
  if (typeof place !== 'string' || /^https?:/.test(place)) return loadRerankerFrom(place, options);
  return loadRerankerFiles(folderFiles(place), { tokenizer: () => loadTokenizer(place) }, options);
}
export { type GeneratedText, TextQueue } from './text-queue.js';
