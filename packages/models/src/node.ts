import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '@headwise/core';
import { readSafetensors } from '@headwise/safetensors';
import { writeSafetensorsFile } from '@headwise/safetensors/node';
import { checkpointSource, checkpointTensors } from './checkpoint.js';
import { createModel, familyOf, type Model } from './model.js';

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
  const family = familyOf(json, configPath);
  const config = family.parseConfig(json, configPath);
  const source = checkpointSource(family, config, file, weightsPath);
  const model = createModel(json, { name: configPath, source });
  return { ...model, unusedKeys: source.unused() };
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

/**
 * Reads a JSON file.
 *
 * @throws InputError naming the file
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new InputError(`${path}: cannot be read: ${error.message}`);
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path}: is not JSON: ${(error as Error).message}`);
  }
}

/** Writes a JSON file that is there whole or not at all: to a temporary name, flushed, then renamed. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new InputError(`${path}: cannot be written: ${(error as Error).message}`);
  }
}
