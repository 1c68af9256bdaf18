import type { CheckpointPlace } from './checkpoint/files.js';
import { type LoadedModel, type LoadOptions, loadModel as loadFrom } from './checkpoint/load.js';
import { folderFiles } from './node/folder.js';

export { adapterFiles, loadAdapter, saveAdapter } from './node/adapter.js';
export { carriedFiles } from './node/carry.js';
export { folderFiles } from './node/folder.js';
export { jsonText, readJson, writeJsonFile } from './node/json.js';
export {
  modelFiles,
  type SavedType,
  type SaveOptions,
  savedTypes,
  saveModel,
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
  const onDisk = typeof place === 'string' && !/^https?:/.test(place);
  return loadFrom(onDisk ? folderFiles(place) : place, options);
}
