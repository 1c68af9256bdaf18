import type { ParamStore } from '@headwise/core';
import type { CheckpointPlace } from './checkpoint/files.js';
import { type LoadedModel, type LoadOptions, loadModel as loadFrom } from './checkpoint/load.js';
import { loadParams as loadParamsFrom } from './checkpoint/params.js';
import type { WebOptions } from './checkpoint/web.js';
import { folderFiles } from './node/folder.js';

export { jsonText } from './json-text.js';
export { adapterFiles, loadAdapter, saveAdapter } from './node/adapter.js';
export { carriedFiles } from './node/carry.js';
export { folderFiles } from './node/folder.js';
export { type GgufOptions, ggufFile, ggufTypes } from './node/gguf.js';
export { readJson, writeJsonFile } from './node/json.js';
export {
  modelFiles,
  type SavedType,
  type SaveOptions,
  savedTypes,
  saveModel,
  saveParams,
} from './node/save.js';

/**
 * Loads a checkpoint as `loadModel` does, also from a folder on disk.
 *
 * @param place the folder's path, or where else a checkpoint may be; a text that begins with `http:` or `https:` is
 * an address
 * @throws InputError or SafetensorsError naming the file, what is wrong with it and what was expected
 */
export async function loadModel(
  place: CheckpointPlace,
  options?: LoadOptions,
): Promise<LoadedModel> {
  return loadFrom(onDisk(place), options);
}

/**
 * Loads parameters as `loadParams` does, also from a folder on disk.
 *
 * @throws InputError or SafetensorsError naming every parameter that the checkpoint does not hold in its shape
 */
export async function loadParams(
  place: CheckpointPlace,
  params: ParamStore,
  options?: WebOptions,
): Promise<{ unusedKeys: string[] }> {
  return loadParamsFrom(onDisk(place), params, options);
}

const onDisk = (place: CheckpointPlace): CheckpointPlace =>
  typeof place === 'string' && !/^https?:/.test(place) ? folderFiles(place) : place;
