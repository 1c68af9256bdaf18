import { InputError } from '@headwise/core';
import type { ByteSource } from '@headwise/safetensors';
import type { CheckpointFiles } from '../checkpoint/checkpoint-files.js';
import { type WebOptions, webFile } from '../checkpoint/web.js';
import { ggufFiles } from '../gguf/read/file.js';
import { fileAddress, type HubOptions, hubName, hubPlace } from './address.js';
import { hubFetch } from './fetch.js';
import { type HubFile, type HubListing, hubListing, listedFile } from './listing.js';

/**
 * The files of a repository of a hub, `owner/name`, or a GGUF file of it, `owner/name/FILE.gguf`, fetched piece by piece as they are
 * read.
 *
 * All are of the commit that the revision stands for when the first is opened, and large ones are compared with the SHA-256
 * that the hub has for them.
 *
 * @throws InputError for a name that is neither, and an address that may not be asked
 */
export function hubFiles(name: string, options: HubOptions & WebOptions = {}): CheckpointFiles {
  const { repository = name, file: gguf } = hubName(name) ?? {};
  const place = hubPlace(repository, options);
  let asked: Promise<HubListing> | undefined;
  const listing = () => {
    asked ??= hubListing(place, options.signal).catch((error) => {
      asked = undefined;
      throw error;
    });
    return asked;
  };
  const fetched = async (file: string, { size, sha256 }: HubFile): Promise<ByteSource> => {
    const url = fileAddress(place, (await listing()).commit, file);
    const source = await webFile((_, init) => hubFetch(place, url, init), file, url.href, {
      ...options,
      integrity: { ...(sha256 === undefined ? {} : { [file]: sha256 }), ...options.integrity },
    });
    if (source?.size === size) return source;
    await source?.close();
    throw new InputError(
      `${url.href}: ${source ? `has ${source.size} bytes` : 'is gone'}; the hub lists it with ${size} bytes`,
    );
  };
  if (gguf !== undefined) {
    return ggufFiles(name, async () =>
      fetched(gguf, listedFile(place, await listing(), gguf, '.gguf')),
    );
  }
  return {
    name,
    async open(file) {
      const known = (await listing()).files.get(file);
      return known && fetched(file, known);
    },
  };
}
