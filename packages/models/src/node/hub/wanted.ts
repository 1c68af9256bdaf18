import { InputError } from '@headwise/core';
import type { HubFile } from '../../hub/listing.js';

const weights = 'model.safetensors';
const index = 'model.safetensors.index.json';
/** Settings, tokenizers and templates; of sentence models also those in the folders of their modules. */
const settings =
  /^(\d+_[A-Za-z]+\/)?[^/]+\.(json|txt|model)$|^(additional_chat_templates\/)?[^/]+\.jinja$/;
const moduleWeights = /^\d+_[A-Za-z]+\/model\.safetensors$/;
/** A larger document is none that a model is read from. */
const maxSettings = 2 ** 27;

/** Whether a file holds weights as a Python pickle. */
export const isPickle = (file: string): boolean => /^pytorch_model.*\.bin$/.test(file);

/**
 * The files of a repository that a model is read from, weights last; none where it has no weights to read.
 *
 * @param readJson reads the index of shards; undefined where it cannot be had
 */
export async function modelFileNames(
  files: ReadonlyMap<string, HubFile>,
  readJson: (file: string) => Promise<unknown>,
): Promise<string[]> {
  const names = [...files.keys()];
  const tensors = names.filter((name) => moduleWeights.test(name));
  if (files.has(weights)) tensors.push(weights);
  else if (files.has(index)) tensors.push(...shardsOf(await readJson(index), files));
  if (files.has('adapter_config.json') && files.has('adapter_model.safetensors')) {
    tensors.push('adapter_model.safetensors');
  }
  if (tensors.length === 0) return [];
  const small = names.filter(
    (name) => settings.test(name) && files.get(name)!.size <= maxSettings && name !== weights,
  );
  return [...small.filter((name) => name !== index || !files.has(weights)), ...tensors];
}

function shardsOf(json: unknown, files: ReadonlyMap<string, HubFile>): string[] {
  const { weight_map: map } = (json ?? {}) as { weight_map?: unknown };
  const shards = [...new Set(Object.values((map ?? {}) as object))] as unknown[];
  for (const shard of shards) {
    if (typeof shard === 'string' && files.has(shard)) continue;
    throw new InputError(
      `${index}: names ${JSON.stringify(shard)}, which the repository does not have`,
    );
  }
  return shards as string[];
}
