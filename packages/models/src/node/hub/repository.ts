import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '@headwise/core';
import { lockFile, writeFile } from '@headwise/files';
import { openConfig } from '../../checkpoint/open.js';
import { type HubOptions, type HubPlace, hubName, hubPlace } from '../../hub/address.js';
import { hubFiles } from '../../hub/files.js';
import { type HubListing, hubListing, listedFile } from '../../hub/listing.js';
import {
  completeFile,
  defaultCacheFolder,
  huggingFaceSnapshot,
  refFile,
  repositoryFolder,
  sizeOfFile,
  textOf,
} from './caches.js';
import { type DownloadProgress, jsonOf, Snapshot } from './snapshot.js';
import { isPickle, modelFileNames } from './wanted.js';

export interface HubFolderOptions extends HubOptions {
  /** Where repositories are kept; default `$XDG_CACHE_HOME/headwise/hub`, or below `~/.cache`. */
  cacheFolder?: string | undefined;
  /** Takes what is in the cache and asks nobody. */
  offline?: boolean | undefined;
  /**
   * Called with the model's configuration before weights are downloaded, and with the size of a file that keeps them packed; throws for a
   * model that is not wanted.
   */
  checkConfig?:
    | ((json: unknown, name: string, packedBytes?: number) => void | Promise<void>)
    | undefined;
  onDownload?: ((progress: DownloadProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Waits for another process that downloads the same repository. */
const patience = 24 * 3600 * 1000;

/**
 * The folder of a repository of a hub, downloaded where it is not in the cache: what a model needs, and nothing else.
 *
 * A download that broke off is resumed. Every file has the size and hash that the hub lists. Snapshots in the cache of
 * Hugging Face's own programs are used where they are complete.
 *
 * @throws InputError where there is no such repository, it needs a token, is not in the cache while offline, or does not fit on the disk; SafetensorsError where a file is not what the hub lists
 * @example
 * const folder = await hubFolder('openai-community/gpt2', { revision: 'main' });
 */
export async function hubFolder(
  repository: string,
  options: HubFolderOptions = {},
): Promise<string> {
  const place = hubPlace(repository, options);
  if (options.offline) return offlineFolder(place, folderOf(place, options));
  return inCache(place, options, async (snapshot) => {
    const found = await modelIn(snapshot, options);
    const { commit } = snapshot.listing;
    await keepText(completeFile(folderOf(place, options), commit), found);
    return found;
  });
}

/**
 * The path of a GGUF file in a repository of a hub, downloaded where it is not in the cache, as `hubFolder` downloads a folder.
 *
 * @param name `owner/name/FILE.gguf`
 * @throws InputError and SafetensorsError as `hubFolder` does, and where the repository has no such file
 * @example
 * const file = await hubFile('Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q8_0.gguf');
 */
export async function hubFile(name: string, options: HubFolderOptions = {}): Promise<string> {
  const { repository, file } = hubName(name) ?? {};
  if (repository === undefined || file === undefined) {
    throw new InputError(
      `'${name}' is not a GGUF file of a repository; expected 'owner/name/FILE.gguf'`,
    );
  }
  const place = hubPlace(repository, options);
  if (options.offline) return offlineFile(place, folderOf(place, options), file);
  return inCache(place, options, async (snapshot) => {
    const { listing } = snapshot;
    const { size } = listedFile(place, listing, file, '.gguf');
    const theirs = await huggingFaceSnapshot(place, file, listing.commit);
    if (theirs !== undefined && (await sizeOfFile(join(theirs, file))) === size) {
      return join(theirs, file);
    }
    if (options.checkConfig && (await sizeOfFile(join(snapshot.path, file))) !== size) {
      // Only the file's head is fetched.
      const at = { ...options, revision: listing.commit };
      const { json, name: configName } = await openConfig(hubFiles(name, at));
      await options.checkConfig(json, configName, size);
    }
    await snapshot.all([file]);
    return join(snapshot.path, file);
  });
}

const folderOf = (
  place: HubPlace,
  { cacheFolder = defaultCacheFolder() }: HubFolderOptions,
): string => repositoryFolder(cacheFolder, place);

/** Finds something in the snapshot of the commit that a revision stands for, while no other process downloads the repository. */
async function inCache(
  place: HubPlace,
  options: HubFolderOptions,
  find: (snapshot: Snapshot) => Promise<string>,
): Promise<string> {
  const folder = folderOf(place, options);
  const listing = await hubListing(place, options.signal);
  const path = join(folder, listing.commit);
  await mkdir(path, { recursive: true });
  const lock = await lockFile(join(folder, '.lock'), { patience });
  try {
    const found = await find(new Snapshot(path, place, listing, options));
    await keepText(refFile(folder, place.revision), listing.commit);
    return found;
  } finally {
    await lock.release();
  }
}

/** Where all lies that a model is read from: here, or in the cache of another program. */
async function modelIn(snapshot: Snapshot, { checkConfig }: HubFolderOptions): Promise<string> {
  const { place, listing } = snapshot;
  const { files, commit } = listing;
  const { repository } = place;
  const theirs = await huggingFaceSnapshot(place, 'config.json', commit);
  if (theirs !== undefined && (await isComplete(theirs, listing))) return theirs;
  if (files.has('config.json')) {
    await checkConfig?.(await snapshot.json('config.json'), `${repository}/config.json`);
  }
  const wanted = await modelFileNames(files, (file) => snapshot.json(file));
  if (wanted.length === 0) throw nothingToRead(repository, [...files.keys()]);
  await snapshot.all(wanted);
  return snapshot.path;
}

function nothingToRead(repository: string, files: readonly string[]): InputError {
  const gguf = files.filter((file) => /\.gguf$/i.test(file));
  const pickle = files.find(isPickle);
  const why =
    gguf.length > 0
      ? `; a GGUF file is read by its name, as in '${repository}/${gguf[0]}'; it has ${gguf.join(', ')}`
      : pickle
        ? `; its ${pickle} is a Python pickle, which runs whatever code is in it when it is read, and so is not read`
        : ', and nothing else that a model is read from';
  return new InputError(`${repository}: has no model.safetensors${why}`);
}

async function keepText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, new TextEncoder().encode(text));
}

/** Whether another program's snapshot holds everything that is needed. */
async function isComplete(snapshot: string, { files }: HubListing): Promise<boolean> {
  const has = async (file: string) =>
    (await sizeOfFile(join(snapshot, file))) === files.get(file)!.size;
  const wanted = await modelFileNames(files, async (file) =>
    (await has(file)) ? jsonOf(join(snapshot, file)) : undefined,
  );
  for (const file of wanted) if (!(await has(file))) return false;
  return wanted.length > 0;
}

/** The folder of what the revision last stood for, if it is here whole. */
async function offlineFolder(place: HubPlace, folder: string): Promise<string> {
  const commit = await commitOf(place, folder);
  const whole = commit && (await textOf(completeFile(folder, commit)));
  // Another program may have removed its snapshot.
  if (whole && existsSync(whole)) return whole;
  const theirs = await huggingFaceSnapshot(place, 'config.json');
  if (theirs !== undefined) return theirs;
  throw notHere(place.repository, place, folder);
}

/** The path of a file of what the revision last stood for, if it is here; downloads stand at their paths once they are whole. */
async function offlineFile(place: HubPlace, folder: string, file: string): Promise<string> {
  const commit = await commitOf(place, folder);
  const ours = commit && join(folder, commit, file);
  if (ours && existsSync(ours)) return ours;
  const theirs = await huggingFaceSnapshot(place, file);
  if (theirs !== undefined) return join(theirs, file);
  throw notHere(`${place.repository}/${file}`, place, folder);
}

/** The commit that a revision last stood for. */
const commitOf = async ({ revision }: HubPlace, folder: string): Promise<string | undefined> =>
  /^[0-9a-f]{40}$/.test(revision) ? revision : textOf(refFile(folder, revision));

const notHere = (name: string, { revision }: HubPlace, folder: string): InputError =>
  new InputError(
    `${name}: is not in the cache at revision '${revision}', and nobody is asked while offline; it would be in ${folder}`,
  );
