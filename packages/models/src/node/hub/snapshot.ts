import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@headwise/core';
import { fileAddress, type HubPlace } from '../../hub/address.js';
import type { HubListing } from '../../hub/listing.js';
import { sizeOfFile } from './caches.js';
import { download } from './download.js';

/** How far a download has come. */
export interface DownloadProgress {
  /** The file that is downloaded. */
  file: string;
  loadedBytes: number;
  /** The bytes of all files that are needed, those that lay in the cache among them. */
  totalBytes: number;
}

export interface SnapshotOptions {
  onDownload?: ((progress: DownloadProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** The files of a commit in a folder of the cache, downloaded as they are asked for. */
export class Snapshot {
  constructor(
    readonly path: string,
    readonly place: HubPlace,
    readonly listing: HubListing,
    readonly options: SnapshotOptions = {},
  ) {}

  /** The path of a file that the hub lists, which is downloaded where it is not here whole. */
  async file(name: string, onBytes?: (bytes: number) => void): Promise<string> {
    const { place, listing } = this;
    const { signal } = this.options;
    const path = join(this.path, name);
    const known = listing.files.get(name)!;
    if ((await sizeOfFile(path)) === known.size) onBytes?.(known.size);
    else {
      const address = fileAddress(place, listing.commit, name);
      await download(place, address, path, known, { signal, onBytes });
    }
    return path;
  }

  /** @throws InputError where it is not JSON */
  async json(name: string): Promise<unknown> {
    return jsonOf(await this.file(name));
  }

  /** Downloads what is missing of files that the hub lists. */
  async all(names: readonly string[]): Promise<void> {
    await this.#checkRoom(names);
    const { files } = this.listing;
    const totalBytes = names.reduce((sum, name) => sum + files.get(name)!.size, 0);
    let loadedBytes = 0;
    for (const file of names) {
      await this.file(file, (bytes) => {
        loadedBytes += bytes;
        this.options.onDownload?.({ file, loadedBytes, totalBytes });
      });
    }
  }

  /** Throws where the disk has less room than the download needs. */
  async #checkRoom(names: readonly string[]): Promise<void> {
    let needed = 0;
    for (const name of names) {
      const path = join(this.path, name);
      const there = (await sizeOfFile(path)) ?? (await sizeOfFile(`${path}.part`)) ?? 0;
      needed += Math.max(0, this.listing.files.get(name)!.size - there);
    }
    const { bavail, bsize } = await statfs(this.path);
    if (needed <= bavail * bsize) return;
    throw new InputError(
      `${this.place.repository}: ${needed} bytes are to be downloaded; the disk of ${this.path} has ${bavail * bsize} bytes left`,
    );
  }
}

/** @throws InputError where it is not JSON */
export async function jsonOf(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new InputError(`${path}: is not JSON: ${(error as Error).message}`);
  }
}
