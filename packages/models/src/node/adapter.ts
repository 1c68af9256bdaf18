import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@headwise/core';
import { readSafetensors } from '@headwise/safetensors';
import { writeSafetensorsFile } from '@headwise/safetensors/node';
import type { Lora } from '../lora/lora.js';
import { loraFromPeft, peftConfig, peftTensors } from '../lora/peft.js';
import type { Model } from '../model.js';
import { makeFolder } from './folder.js';
import { readJson, writeJsonFile } from './json.js';

const configName = 'adapter_config.json';
const weightsName = 'adapter_model.safetensors';

/**
 * Writes an adapter as PEFT's `PeftModel.from_pretrained` loads it; each file is there whole or not at all.
 *
 * @param folder made where there is none
 * @throws InputError where it cannot be written
 */
export async function saveAdapter(folder: string, model: Model, lora: Lora): Promise<void> {
  await makeFolder(folder);
  await writeSafetensorsFile(join(folder, weightsName), peftTensors(model, lora), { format: 'pt' });
  await writeJsonFile(join(folder, configName), peftConfig(model, lora));
}

/**
 * Loads an adapter that PEFT or `saveAdapter` has written, for the model that it was trained beside.
 *
 * @throws InputError or SafetensorsError naming the file and what is wrong with it
 */
export async function loadAdapter(folder: string, model: Model): Promise<Lora> {
  const json = await readJson(join(folder, configName));
  const path = join(folder, weightsName);
  const bytes = await readFile(path).catch((error: Error) => {
    throw new InputError(`${path}: cannot be read: ${error.message}`);
  });
  return loraFromPeft(
    model,
    json,
    readSafetensors(bytes, { name: path }),
    join(folder, configName),
  );
}
