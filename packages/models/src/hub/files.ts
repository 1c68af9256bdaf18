import { InputError } from '@headwise/core';
import type { CheckpointFiles } from '../checkpoint/checkpoint-files.js';
import { type WebOptions, webFile } from '../checkpoint/web.js';
import { fileAddress, type HubOptions, hubPlace } from './address.js';
import { hubFetch } from './fetch.js';
import { type HubListing, hubListing } from './listing.js';

/**
 * The files of a repository of a hub, fetched piece by piece as they are read.
 *
 * All are of the commit that the revision stands for when the first is opened, and large ones are compared with the SHA-256
 * that the hub has for them.
 *
 * @throws InputError for a name that is not `owner/name`, and an address that may not be asked
 */
export function hubFiles(
  repository: string,
  options: HubOptions & WebOptions = {},
): CheckpointFiles {
  const place = hubPlace(repository, options);
  let listing: Promise<HubListing> | undefined;
  return {
    name: repository,
    async open(file) {
      listing ??= hubListing(place, options.signal);
      const { commit, files } = await listing.catch((error) => {
        listing = undefined;
        throw error;
      });
      const known = files.get(file);
      if (!known) return undefined;
      const url = fileAddress(place, commit, file);
      const { integrity } = options;
      const source = await webFile((_, init) => hubFetch(place, url, init), file, url.href, {
        ...options,
        integrity: {
          ...(known.sha256 === undefined ? {} : { [file]: known.sha256 }),
          ...integrity,
        },
      });
      if (source?.size === known.size) return source;
      await source?.close();
      throw new InputError(
        `${url.href}: has ${source ? `${source.size} bytes` : 'gone'}; the hub lists it with ${known.size} bytes`,
      );
    },
  };
}
