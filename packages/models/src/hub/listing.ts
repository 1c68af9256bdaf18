import { InputError } from '@headwise/core';
import { type HubPlace, isWithin, listingAddress } from './address.js';
import { hubFetch, RepositoryError, refusal } from './fetch.js';

/** A file of a repository. */
export interface HubFile {
  size: number;
  /** The SHA-256 of a large file, in hexadecimal. */
  sha256: string | undefined;
  /** The SHA-1 that git has for a small one. */
  gitSha1: string | undefined;
}

/** What a repository holds at a commit. */
export interface HubListing {
  commit: string;
  files: ReadonlyMap<string, HubFile>;
}

/**
 * Asks a hub what a repository holds.
 *
 * @throws InputError where there is no such repository or revision, it needs a token, or what is listed is not sound
 */
export async function hubListing(place: HubPlace, signal?: AbortSignal): Promise<HubListing> {
  const address = listingAddress(place);
  const response = await hubFetch(place, address, signal ? { signal } : {}).catch((cause) => {
    signal?.throwIfAborted();
    if (cause instanceof InputError) throw cause;
    throw new RepositoryError(
      `${place.repository}: ${place.endpoint.host} cannot be reached: ${cause.message}`,
      {
        cause,
      },
    );
  });
  if (!response.ok) throw refusal(place, 'such repository', response);
  const text = await response.text();
  try {
    return parseListing(JSON.parse(text));
  } catch (error) {
    throw new InputError(
      `${address.href}: is not a repository's listing: ${(error as Error).message}`,
    );
  }
}

/** Reads a listing as the hub's API gives it. */
export function parseListing(json: unknown): HubListing {
  const { sha, siblings } = (json ?? {}) as { sha?: unknown; siblings?: unknown };
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha)) {
    throw new InputError(`'sha' is ${JSON.stringify(sha)}; expected a commit`);
  }
  if (!Array.isArray(siblings)) throw new InputError("'siblings' is missing; expected an array");
  const files = new Map<string, HubFile>();
  for (const [i, sibling] of siblings.entries()) {
    const { rfilename: name, size, blobId, lfs } = (sibling ?? {}) as Record<string, unknown>;
    if (typeof name !== 'string' || !isWithin(name)) {
      throw new InputError(
        `'siblings[${i}].rfilename' is ${JSON.stringify(name)}; expected a path within the repository`,
      );
    }
    if (!Number.isSafeInteger(size) || (size as number) < 0) {
      throw new InputError(`the size of '${name}' is ${JSON.stringify(size)}; expected bytes`);
    }
    const { sha256 } = (lfs ?? {}) as { sha256?: unknown };
    files.set(name, {
      size: size as number,
      sha256: hexadecimal(sha256, 64),
      gitSha1: lfs ? undefined : hexadecimal(blobId, 40),
    });
  }
  return { commit: sha, files };
}

/**
 * A file that a person names.
 *
 * @throws InputError where the repository does not have it, with the files of its type that it has
 */
export function listedFile(
  { repository }: HubPlace,
  { files }: HubListing,
  name: string,
  type: string,
): HubFile {
  const file = files.get(name);
  if (file) return file;
  const others = [...files.keys()].filter((other) => other.toLowerCase().endsWith(type));
  const has = others.length > 0 ? `it has ${others.join(', ')}` : `it has no ${type} files`;
  throw new RepositoryError(`${repository}: the hub has no '${name}' in it; ${has}`);
}

const hexadecimal = (value: unknown, digits: number): string | undefined =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value)
    ? value
    : undefined;
