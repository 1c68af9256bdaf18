import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@headwise/core';
import { readSafetensors } from '@headwise/safetensors';
import { writeSafetensorsFile } from '@headwise/safetensors/node';
import {
  checkpointSource,
  checkpointTensors,
  createModel,
  families,
  type Model,
} from './checkpoint.js';
import { readJson, writeJsonFile } from './node/json.js';

export { loadAdapter, saveAdapter } from './node/adapter.js';
export { readJson, writeJsonFile } from './node/json.js';

/**
 * Loads a model from a folder in the Hugging Face layout: `config.json` and `model.safetensors`.
 *
 * @returns the model, and the keys in the file that no parameter has asked for
 * @throws InputError or SafetensorsError naming the file and what is wrong with it
 */
export async function loadModel(folder: string): Promise<Model & { unusedKeys: string[] }> {
  const configPath = join(folder, 'config.json');
  const weightsPath = join(folder, 'model.safetensors');
  const json = await readJson(configPath);
  const bytes = await readFile(weightsPath).catch((error: Error) => {
    throw new InputError(`${weightsPath}: cannot be read: ${error.message}`);
  });
  const file = readSafetensors(bytes, { name: weightsPath });
  const family = families[String((json as { model_type?: unknown } | null)?.model_type)];
  const source = family && checkpointSource(family, file, weightsPath);
  const model = createModel(json, { name: configPath, ...(source ? { source } : {}) });
  return { ...model, unusedKeys: source?.unused() ?? [] };
}

/**
 * Writes `config.json` and `model.safetensors`; each is there whole or not at all.
 *
 * The folder must exist.
 */
export async function saveModel(folder: string, model: Model): Promise<void> {
  await writeJsonFile(join(folder, 'config.json'), model.family.configJson(model.config));
  await writeSafetensorsFile(join(folder, 'model.safetensors'), checkpointTensors(model), {
    format: 'pt',
  });
}
