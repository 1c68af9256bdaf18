import { InputError, type LanguageModel } from '@headwise/core';
import { languageModel, loadModel, type Model } from '@headwise/models';
import { Tokenizer } from '@headwise/tokenizers';
import type { ModelSource } from './model-source.js';

type FolderSource = Exclude<ModelSource, { kind: 'run' }>;

/**
 * A model and its tokenizer from a folder in the Hugging Face layout: dropped, at an address, or bundled.
 *
 * @throws InputError, SafetensorsError or TokenizerError naming the file and what is wrong with it
 */
export async function loadFolder(
  name: string,
  source: FolderSource,
  bundled: string,
): Promise<{ model: Model<LanguageModel>; tokenizer: Tokenizer }> {
  const tokenizer = Tokenizer.fromBytes(
    await tokenizerBytes(name, source, bundled),
    `${name}/tokenizer.json`,
  );
  const model = languageModel(await loadModel(placeOf(source, bundled)));
  return { model, tokenizer };
}

function placeOf(source: FolderSource, bundled: string): string | readonly File[] {
  if (source.kind === 'files') return source.files;
  return source.kind === 'bundled' ? bundled : source.url;
}

async function tokenizerBytes(
  name: string,
  source: FolderSource,
  bundled: string,
): Promise<Uint8Array> {
  const missing = () =>
    new InputError(
      `${name} has no tokenizer.json. A model folder holds config.json, model.safetensors and tokenizer.json, as Hugging Face saves them.`,
    );
  const place = placeOf(source, bundled);
  if (typeof place !== 'string') {
    const file = place.find((one) => one.name === 'tokenizer.json');
    if (!file) throw missing();
    return new Uint8Array(await file.arrayBuffer());
  }
  const url = new URL('tokenizer.json', place.replace(/\/*$/, '/'));
  const response = await fetch(url).catch((error: Error) => {
    throw new InputError(
      `${url.href} cannot be fetched (${error.message}). The lab may fetch from its own site and from huggingface.co.`,
    );
  });
  if (response.status === 404) throw missing();
  if (!response.ok) throw new InputError(`${url.href}: the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
