import { join } from 'node:path';
import { commit, Folder, type FolderChange } from '@headwise/files';
import { readSafetensors, streamSafetensors } from '@headwise/safetensors';
import { jsonText, parseJson } from '../json-text.js';
import type { Lora } from '../lora/lora.js';
import { loraFromPeft, peftConfig, peftTensors } from '../lora/peft.js';
import type { Model } from '../model.js';
import { asInputError } from './json.js';

const configName = 'adapter_config.json';
const weightsName = 'adapter_model.safetensors';

/** The files of an adapter in the layout of PEFT, for `commit`. */
export function adapterFiles(model: Model, lora: Lora): FolderChange {
  const tensors = peftTensors(model, lora);
  return {
    write: {
      [configName]: jsonText(peftConfig(model, lora)),
      [weightsName]: streamSafetensors(tensors, { format: 'pt' }, { name: weightsName }),
    },
  };
}

/**
 * Writes an adapter as PEFT's `PeftModel.from_pretrained` loads it; both files are committed as one.
 *
 * @param folder made where there is none
 * @throws FileError where it cannot be written; InputError for values that are not finite. The folder is as it was then
 */
export async function saveAdapter(folder: string, model: Model, lora: Lora): Promise<void> {
  await commit(folder, adapterFiles(model, lora));
}

/**
 * Loads an adapter that PEFT or `saveAdapter` has written, for the model that it was trained beside.
 *
 * @throws InputError or SafetensorsError naming the file and what is wrong with it
 */
export async function loadAdapter(folder: string, model: Model): Promise<Lora> {
  const [configPath, path] = [join(folder, configName), join(folder, weightsName)];
  const files = await Folder.open(folder).catch((error) => {
    throw asInputError(error);
  });
  const read = (name: string) =>
    files.readRequired(name).catch((error) => {
      throw asInputError(error);
    });
  const json = parseJson(await read(configName), configPath);
  const weights = readSafetensors(await read(weightsName), { name: path });
  return loraFromPeft(model, json, weights, configPath);
}
