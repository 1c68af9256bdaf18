import { basename, resolve } from 'node:path';
import { checkOneOf, InputError } from '@headwise/core';
import {
  GgufError,
  streamGguf,
  tokenizerMetadata,
  type WrittenType,
  writtenTypes,
} from '@headwise/gguf';
import type { CheckpointFiles } from '../checkpoint/files.js';
import { openBytes, openJson } from '../checkpoint/open.js';
import { ggufModel } from '../gguf/gguf-model.js';
import type { Model } from '../model.js';
import { folderFiles } from './folder.js';

export interface GgufOptions {
  /** The type of matrices; default `f16`. */
  dtype?: WrittenType | undefined;
  /** `general.name`; default the folder's name. */
  name?: string | undefined;
}

/** The types that matrices of a GGUF file may have. */
export const ggufTypes: readonly WrittenType[] = writtenTypes;

/**
 * A model and the tokenizer of a folder as one GGUF file, which llama.cpp runs.
 *
 * @param folder has `tokenizer.json`, and perhaps `tokenizer_config.json` and a chat template
 * @returns the file in chunks, for `writeFile` of `@headwise/files`
 * @throws InputError for a family, a setting or a tokenizer that llama.cpp lacks; while it is read, for values that are not
 * finite or that a type does not hold
 * @example
 * await writeFile('model.gguf', await ggufFile(model, 'my-model', { dtype: 'q8_0' }));
 */
export async function ggufFile(
  model: Model,
  folder: string,
  { dtype = 'f16', name = basename(resolve(folder)) }: GgufOptions = {},
): Promise<AsyncIterable<Uint8Array>> {
  checkOneOf('ggufFile: dtype', dtype, ggufTypes);
  const { metadata, tensors } = ggufModel(model, dtype);
  const { vocabSize } = model.family.preset(model.config);
  const files = folderFiles(folder);
  const json = async (file: string) =>
    (await openJson(files, file))?.json as Record<string, unknown> | undefined;
  const tokenizer = await json('tokenizer.json');
  if (!tokenizer) {
    throw new InputError(`${folder}: has no tokenizer.json; a GGUF file has the tokenizer in it`);
  }
  const tokenizerConfig = await json('tokenizer_config.json');
  const chatTemplate = await templateOf(files, tokenizerConfig);
  try {
    const words = tokenizerMetadata({
      tokenizer,
      tokenizerConfig,
      config: (await json('config.json')) ?? {},
      chatTemplate,
      vocabSize,
    });
    const named = { ...metadata, 'general.name': ['string', name] as const, ...words };
    return asInput(streamGguf(named, tensors), folder);
  } catch (error) {
    throw inputError(error, folder);
  }
}

/** The chat template of a folder: a file of its own, else that of `tokenizer_config.json`, of several the default. */
async function templateOf(
  files: CheckpointFiles,
  config: Readonly<Record<string, unknown>> | undefined,
): Promise<string | undefined> {
  const own = await openBytes(files, 'chat_template.jinja');
  if (own) return new TextDecoder().decode(own.bytes);
  const given = config?.chat_template;
  if (typeof given === 'string') return given;
  if (!Array.isArray(given)) return undefined;
  const named = given as readonly { name: string; template: string }[];
  return named.find(({ name }) => name === 'default')?.template;
}

/** The chunks of a file, whose errors are of what was given. */
async function* asInput(
  chunks: AsyncIterable<Uint8Array>,
  folder: string,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw inputError(error, folder);
  }
}

const inputError = (error: unknown, folder: string): unknown =>
  error instanceof GgufError
    ? new InputError(`${folder}: ${error.message}`, { cause: error })
    : error;
