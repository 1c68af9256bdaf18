import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { HubPlace } from '../../hub/address.js';

/** Where repositories of hubs are kept: `$XDG_CACHE_HOME/headwise/hub`, or below `~/.cache`. */
export function defaultCacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(resolve(base), 'headwise', 'hub');
}

/** The folder of a repository in a cache of ours. */
export function repositoryFolder(cacheFolder: string, { repository, endpoint }: HubPlace): string {
  const host = endpoint.host.replaceAll(':', '_');
  const [owner, name] = repository.split('/') as [string, string];
  return join(cacheFolder, host, `${owner}--${name}`);
}

/** The file that holds the commit that a revision stood for when it was last asked for. */
export const refFile = (folder: string, revision: string): string =>
  join(folder, 'refs', encodeURIComponent(revision));

/** The file that holds where a commit lies whole. */
export const completeFile = (folder: string, commit: string): string =>
  join(folder, 'complete', commit);

/** The snapshot of a commit, or of what a revision last stood for, in the cache of Hugging Face's own programs, where it has a file. */
export async function huggingFaceSnapshot(
  { repository, revision }: HubPlace,
  file: string,
  commit?: string,
): Promise<string | undefined> {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  const folder = join(
    HF_HUB_CACHE || join(home, 'hub'),
    `models--${repository.replace('/', '--')}`,
  );
  const known =
    commit ??
    (/^[0-9a-f]{40}$/.test(revision) ? revision : await textOf(join(folder, 'refs', revision)));
  if (known === undefined || !/^[0-9a-f]{40}$/.test(known)) return undefined;
  const snapshot = join(folder, 'snapshots', known);
  return (await sizeOfFile(join(snapshot, file))) === undefined ? undefined : snapshot;
}

/** The text of a file without the white space around it; undefined where there is none. */
export const textOf = async (path: string): Promise<string | undefined> =>
  (await readFile(path, 'utf8').catch(() => undefined))?.trim();

/** The size of a file; undefined where there is none. */
export async function sizeOfFile(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}
