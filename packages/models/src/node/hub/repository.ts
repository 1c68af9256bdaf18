import { existsSync } from 'node:fs';
import { mkdir, readFile, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '@headwise/core';
import { lockFile, writeFile } from '@headwise/files';
import { fileAddress, type HubOptions, type HubPlace, hubPlace } from '../../hub/address.js';
import { type HubListing, hubListing } from '../../hub/listing.js';
import {
  completeFile,
  defaultCacheFolder,
  huggingFaceSnapshot,
  refFile,
  repositoryFolder,
  sizeOfFile,
  textOf,
} from './caches.js';
import { download } from './download.js';
import { isPickle, modelFileNames } from './wanted.js';

/** How far a download has come. */
export interface DownloadProgress {
  /** The file that is downloaded. */
  file: string;
  loadedBytes: number;
  /** The bytes of all files that are needed, those that lay in the cache among them. */
  totalBytes: number;
}

export interface HubFolderOptions extends HubOptions {
  /** Where repositories are kept; default `$XDG_CACHE_HOME/headwise/hub`, or below `~/.cache`. */
  cacheFolder?: string | undefined;
  /** Takes what is in the cache and asks nobody. */
  offline?: boolean | undefined;
  /** Called with `config.json` before weights are downloaded; throws for a model that is not wanted. */
  checkConfig?: ((json: unknown, name: string) => void | Promise<void>) | undefined;
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
  const { cacheFolder = defaultCacheFolder(), offline = false, signal } = options;
  const folder = repositoryFolder(cacheFolder, place);
  if (offline) return offlineFolder(place, folder);
  const listing = await hubListing(place, signal);
  const snapshot = join(folder, listing.commit);
  await mkdir(snapshot, { recursive: true });
  const lock = await lockFile(join(folder, '.lock'), { patience });
  try {
    const found = await snapshotOf(place, snapshot, listing, options);
    await keepText(completeFile(folder, listing.commit), found);
    await keepText(refFile(folder, place.revision), listing.commit);
    return found;
  } finally {
    await lock.release();
  }
}

async function snapshotOf(
  place: HubPlace,
  snapshot: string,
  listing: HubListing,
  options: HubFolderOptions,
): Promise<string> {
  const theirs = await huggingFaceSnapshot(place, listing.commit);
  if (theirs !== undefined && (await isComplete(theirs, listing))) return theirs;
  const { files, commit } = listing;
  const { signal, onDownload } = options;
  const get = async (file: string, onBytes?: (bytes: number) => void) => {
    const path = join(snapshot, file);
    const known = files.get(file)!;
    if ((await sizeOfFile(path)) === known.size) onBytes?.(known.size);
    else await download(place, fileAddress(place, commit, file), path, known, { signal, onBytes });
    return path;
  };
  if (files.has('config.json')) {
    const path = await get('config.json');
    await options.checkConfig?.(await jsonOf(path), `${place.repository}/config.json`);
  }
  const wanted = await modelFileNames(files, async (file) => jsonOf(await get(file)));
  if (wanted.length === 0) {
    const pickle = [...files.keys()].find(isPickle);
    throw new InputError(
      `${place.repository}: has no model.safetensors${pickle ? `; its ${pickle} is a Python pickle, which runs whatever code is in it when it is read, and so is not read` : ', and nothing else that a model is read from'}`,
    );
  }
  const totalBytes = wanted.reduce((sum, file) => sum + files.get(file)!.size, 0);
  await checkRoom(place, snapshot, wanted, listing);
  let loadedBytes = 0;
  for (const file of wanted) {
    await get(file, (bytes) => {
      loadedBytes += bytes;
      onDownload?.({ file, loadedBytes, totalBytes });
    });
  }
  return snapshot;
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
  const { repository, revision } = place;
  const isCommit = /^[0-9a-f]{40}$/.test(revision);
  const commit = isCommit ? revision : await textOf(refFile(folder, revision));
  const whole = commit && (await textOf(completeFile(folder, commit)));
  // Another program may have removed its snapshot.
  if (whole && existsSync(whole)) return whole;
  const theirs = await huggingFaceSnapshot(place);
  if (theirs !== undefined) return theirs;
  throw new InputError(
    `${repository}: is not in the cache at revision '${revision}', and nobody is asked while offline; it would be in ${folder}`,
  );
}

/** Throws where the disk has less room than the download needs. */
async function checkRoom(
  { repository }: HubPlace,
  snapshot: string,
  wanted: readonly string[],
  { files }: HubListing,
): Promise<void> {
  let needed = 0;
  for (const file of wanted) {
    const path = join(snapshot, file);
    const there = (await sizeOfFile(path)) ?? (await sizeOfFile(`${path}.part`)) ?? 0;
    needed += Math.max(0, files.get(file)!.size - there);
  }
  const { bavail, bsize } = await statfs(snapshot);
  if (needed <= bavail * bsize) return;
  throw new InputError(
    `${repository}: ${needed} bytes are to be downloaded; the disk of ${snapshot} has ${bavail * bsize} bytes left`,
  );
}

/** @throws InputError where it is not JSON */
async function jsonOf(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new InputError(`${path}: is not JSON: ${(error as Error).message}`);
  }
}
