import { existsSync } from 'node:fs';
import { InputError, type ParamStore } from '@headwise/core';
import { type CheckpointFiles, type CheckpointPlace, checkpointFiles } from './checkpoint/files.js';
import {
  checkConfigFits,
  type LoadedModel,
  type LoadOptions,
  loadModel as loadFrom,
} from './checkpoint/load.js';
import { loadParams as loadParamsFrom } from './checkpoint/params.js';
import { openLogMelSettings, openPictureSettings } from './checkpoint/processor.js';
import type { WebOptions } from './checkpoint/web.js';
import { isGgufName } from './gguf/read/file.js';
import { type HubName, type HubOptions, hubName } from './hub/address.js';
import { RepositoryError } from './hub/fetch.js';
import { diskFiles } from './node/folder.js';
import { type HubFolderOptions, hubFile, hubFolder } from './node/hub/repository.js';
import type { PictureSettings } from './pictures/settings.js';
import type { LogMelOptions } from './speech/log-mel.js';

export { jsonText } from './json-text.js';
export { adapterFiles, loadAdapter, saveAdapter } from './node/adapter.js';
export { carriedFiles } from './node/carry.js';
export { diskFiles, folderFiles } from './node/folder.js';
export { type GgufOptions, ggufFile, ggufTypes } from './node/gguf.js';
export { type HubFolderOptions, hubFile, hubFolder } from './node/hub/repository.js';
export type { DownloadProgress } from './node/hub/snapshot.js';
export { readJson, writeJsonFile } from './node/json.js';
export {
  modelFiles,
  type SavedType,
  type SaveOptions,
  savedTypes,
  saveModel,
  saveParams,
} from './node/save.js';

/** How a checkpoint is loaded in Node, where repositories of a hub are kept in a folder. */
export type NodeLoadOptions = LoadOptions & HubFolderOptions;

/**
 * Loads a checkpoint as `loadModel` does, also from a folder or a GGUF file on disk. A repository of a hub is downloaded to the cache
 * first, unless its configuration says that it does not fit into memory.
 *
 * @param place its path; a repository as `owner/name`, or a GGUF file of one as `owner/name/FILE.gguf`, where there is no such path; or
 * where else a checkpoint may be: a text that begins with `http:` or `https:` is an address
 * @throws InputError or SafetensorsError naming the file, what is wrong with it and what was expected
 */
export async function loadModel(
  place: CheckpointPlace,
  options: NodeLoadOptions = {},
): Promise<LoadedModel> {
  const checkConfig =
    options.checkConfig ??
    ((json, name, packedBytes) => checkConfigFits(json, name, { ...options, packedBytes }));
  return loadFrom(await onDisk(place, { ...options, checkConfig }), options);
}

/**
 * Loads parameters as `loadParams` does, also from a folder on disk.
 *
 * @throws InputError or SafetensorsError naming every parameter that the checkpoint does not hold in its shape
 */
export async function loadParams(
  place: CheckpointPlace,
  params: ParamStore,
  options: WebOptions & HubOptions & HubFolderOptions = {},
): Promise<{ unusedKeys: string[] }> {
  return loadParamsFrom(await onDisk(place, options), params, options);
}

/**
 * Loads the settings of `preparePictures` as `loadPictureSettings` does, also from a folder on disk.
 *
 * @throws InputError naming both files where neither has the settings, and as `pictureSettings` does
 */
export async function loadPictureSettings(
  place: CheckpointPlace,
  options: WebOptions & HubFolderOptions = {},
): Promise<PictureSettings> {
  return openBeside(place, options, openPictureSettings);
}

/**
 * Loads the options of `logMelFeatures` as `loadLogMelSettings` does, also from a folder on disk.
 *
 * @throws InputError naming both files where neither has the settings, and as `logMelSettings` does
 */
export async function loadLogMelSettings(
  place: CheckpointPlace,
  options: WebOptions & HubFolderOptions = {},
): Promise<Required<LogMelOptions>> {
  return openBeside(place, options, openLogMelSettings);
}

/** Opens files of settings; of a repository they alone are fetched, and its weights are not. */
async function openBeside<T>(
  place: CheckpointPlace,
  options: WebOptions & HubFolderOptions,
  open: (files: CheckpointFiles) => Promise<T>,
): Promise<T> {
  if (typeof place === 'string' && !options.offline && repositoryOf(place)) {
    return open(checkpointFiles(place, options)).catch(noSuchPath(place, 'folder'));
  }
  return open(checkpointFiles(await onDisk(place, options), options));
}

/**
 * The folder or the GGUF file that a path names, or, where there is no such path, what a repository of a hub or a GGUF file of one is
 * downloaded to.
 *
 * @throws InputError or SafetensorsError as `hubFolder` does
 */
export async function modelFolder(place: string, options: HubFolderOptions = {}): Promise<string> {
  const named = repositoryOf(place);
  if (!named) return place;
  const [download, what] = named.file === undefined ? [hubFolder, 'folder'] : [hubFile, 'file'];
  return download(place, options).catch(noSuchPath(place, what));
}

/** The repository that a text names, where it is not a path. */
function repositoryOf(place: string): HubName | undefined {
  const named = hubName(place);
  if (!named || existsSync(place)) return undefined;
  // Two parts may be a file in a folder; what is downloaded has three.
  return named.file === undefined && isGgufName(place) ? undefined : named;
}

/** Throws an error of a repository as one of a name that is not a path either. */
const noSuchPath =
  (place: string, what: string) =>
  (error: unknown): never => {
    if (!(error instanceof RepositoryError)) throw error;
    throw new InputError(`${error.message}; and there is no ${what} '${place}'`, { cause: error });
  };

const onDisk = async (
  place: CheckpointPlace,
  options: HubFolderOptions,
): Promise<CheckpointPlace> =>
  typeof place === 'string' && !/^https?:/.test(place)
    ? diskFiles(await modelFolder(place, options))
    : place;
