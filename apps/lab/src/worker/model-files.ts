import { InputError } from '@headwise/core';
import { checkpointSource, createModel, families, type Model } from '@headwise/models';
import { readSafetensors } from '@headwise/safetensors';
import { Tokenizer } from '@headwise/tokenizers';
import type { ModelSource } from './model-source.js';

/** The files of a folder in the Hugging Face layout that the lab reads. */
export const modelFileNames = ['config.json', 'model.safetensors', 'tokenizer.json'] as const;
type ModelFileName = (typeof modelFileNames)[number];

/** Reads one file; undefined where it is not there. */
type ReadFile = (name: ModelFileName) => Promise<Uint8Array | undefined>;

/** How to read the files of a folder that was dropped, of an address, or of the bundled checkpoint. */
export function readerOf(source: Exclude<ModelSource, { kind: 'run' }>, bundled: string): ReadFile {
  if (source.kind === 'files') {
    return async (name) => {
      const file = source.files[name];
      return file && new Uint8Array(await file.arrayBuffer());
    };
  }
  const base = source.kind === 'bundled' ? bundled : source.url.replace(/\/?$/, '/');
  return async (name) => {
    const url = new URL(name, base);
    const response = await fetch(url).catch((error: Error) => {
      throw new InputError(
        `${url.href} cannot be fetched (${error.message}). The lab may fetch from its own site and from huggingface.co.`,
      );
    });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new InputError(`${url.href}: the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
}

/**
 * A model and its tokenizer from a folder in the Hugging Face layout.
 *
 * @throws InputError, SafetensorsError or TokenizerError naming the file and what is wrong with it
 */
export async function loadFolder(
  name: string,
  read: ReadFile,
): Promise<{ model: Model; tokenizer: Tokenizer }> {
  const needed = async (file: ModelFileName): Promise<Uint8Array> => {
    const bytes = await read(file);
    if (bytes) return bytes;
    throw new InputError(
      `${name} has no ${file}. A model folder holds ${modelFileNames.join(', ')}, as Hugging Face saves them.`,
    );
  };
  const json = parseJson(await needed('config.json'), `${name}/config.json`);
  const weights = await needed('model.safetensors');
  const tokenizer = Tokenizer.fromBytes(await needed('tokenizer.json'), `${name}/tokenizer.json`);
  const file = readSafetensors(weights, { name: `${name}/model.safetensors` });
  const family = families[String((json as { model_type?: unknown } | null)?.model_type)];
  const source = family && checkpointSource(family, file, `${name}/model.safetensors`);
  const model = createModel(json, { name: `${name}/config.json`, ...(source ? { source } : {}) });
  if (tokenizer.vocabSize > model.network.vocabSize) {
    model.params.dispose();
    throw new InputError(
      `${name}: tokenizer.json has ${tokenizer.vocabSize} tokens; the model knows ${model.network.vocabSize}`,
    );
  }
  return { model, tokenizer };
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new InputError(`${name} is not JSON: ${(error as Error).message}`);
  }
}
