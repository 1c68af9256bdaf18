import { join } from 'node:path';
import { FileError, isMissing } from './errors.js';
import { readBytes } from './read.js';
import type { FileEntry } from './write.js';

/** The name of a folder's manifest. */
export const manifestName = 'headwise-manifest.json';

const format = 'headwise-manifest-1';

/** What a folder holds since its last commit; names of files in it have `/` between their parts. */
export interface Manifest {
  /** The folder that holds the commit's files until they stand in their places; it is removed last. */
  staged: string;
  /** Every file that was saved here, by its name. */
  files: Record<string, FileEntry>;
  /** Names that the commit removes. */
  removed: string[];
  /** Names that the commit replaces, and the names under which what they held is kept. */
  kept: Record<string, string>;
}

/** Temporary folders of commits. */
export const stagedPattern: RegExp = /^\.headwise-[\da-f-]{36}$/;

/**
 * A folder's manifest; undefined if there is none, as in folders written by other programs.
 *
 * @throws FileError where it cannot be read, or is not one
 */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const path = join(folder, manifestName);
  const bytes = await readBytes(path).catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (!bytes) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FileError(path, `is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isManifest(json)) {
    throw new FileError(path, `is damaged or of another kind; expected the format '${format}'`);
  }
  return json;
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify({ format, ...manifest }, null, 1)}\n`;
}

function isManifest(json: unknown): json is Manifest {
  if (!isObject(json) || json.format !== format) return false;
  const { staged, files, removed, kept } = json;
  return (
    typeof staged === 'string' &&
    stagedPattern.test(staged) &&
    isObject(files) &&
    Object.entries(files).every(([name, entry]) => isFileName(name) && isEntry(entry)) &&
    Array.isArray(removed) &&
    removed.every(isFileName) &&
    isObject(kept) &&
    Object.entries(kept).flat().every(isFileName)
  );
}

/** Whether a name stays in its folder, on every system. */
export function isFileName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name.split('/').every((part) => /^[^/\\:\0]+$/.test(part) && !/^\.{1,2}$/.test(part))
  );
}

function isEntry(entry: unknown): entry is FileEntry {
  return (
    isObject(entry) &&
    Number.isSafeInteger(entry.bytes) &&
    (entry.bytes as number) >= 0 &&
    /^[\da-f]{64}$/.test(String(entry.sha256))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
