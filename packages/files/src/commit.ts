import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError, named } from './errors.js';
import { filesBelow } from './folder.js';
import { lockFile } from './lock.js';
import {
  isFileName,
  type Manifest,
  manifestName,
  manifestText,
  readManifest,
  stagedPattern,
} from './manifest.js';
import { type FileContent, makeFolder, replaceFile, syncFolder, writeNew } from './write.js';

/** What a commit changes in a folder; names may lead into folders below it, with `/`. */
export interface FolderChange {
  /** What files hold from now on, by their names. */
  write: Readonly<Record<string, FileContent>>;
  /** Whether to remove a file that is not written; called with the names of saved files and of files in the folder. */
  remove?: ((name: string) => boolean) | undefined;
  /** Names that are written, and other names under which what they held before is kept. */
  keep?: Readonly<Record<string, string>> | undefined;
}

const lockName = '.headwise-lock';

// Longer than any other save, short enough to report a process that hangs.
const patience = 600_000;

/**
 * Changes files of a folder as one: after a kill at any moment, `Folder` reads all of the old or all of the new.
 *
 * New files are written beside the old ones. Renaming the manifest, which holds the length and SHA-256 of every file,
 * commits them; then they are renamed into their places. What a killed commit has left is finished or removed by the next.
 *
 * @param folder created if it does not exist
 * @throws FileError naming the file; nothing is changed then. What `write` throws while it makes chunks
 */
export async function commit(folder: string, ...changes: readonly FolderChange[]): Promise<void> {
  const write = Object.assign(
    {},
    ...changes.map((change) => change.write),
  ) as FolderChange['write'];
  const keep = Object.assign({}, ...changes.map((change) => change.keep)) as Record<string, string>;
  const remove = (name: string) =>
    !Object.hasOwn(write, name) && changes.some((c) => c.remove?.(name));
  await makeFolder(folder);
  const lock = await lockFile(join(folder, lockName), { patience });
  try {
    const before = await readManifest(folder);
    await finishCommit(folder, before);
    await checkPlaces(folder, Object.keys(write));
    const staged = `.headwise-${randomUUID()}`;
    const manifest = await stage(folder, staged, { before, write, keep, remove }).catch(
      async (error) => {
        await rm(join(folder, staged), { recursive: true, force: true });
        throw error;
      },
    );
    await replaceFile(join(folder, manifestName), manifestText(manifest)).catch(async (error) => {
      await rm(join(folder, staged), { recursive: true, force: true });
      throw error;
    });
    await publish(folder, manifest);
  } finally {
    await lock.release();
  }
}

/**
 * Writes one file whole; where its folder has a manifest, as a commit.
 *
 * @throws FileError naming the file
 */
export async function writeFile(path: string, content: FileContent): Promise<void> {
  const folder = dirname(path);
  const write = { [basename(path)]: content };
  if (await readManifest(folder)) await commit(folder, { write });
  else await replaceFile(path, content);
}

interface Staging {
  before: Manifest | undefined;
  write: FolderChange['write'];
  keep: Record<string, string>;
  remove: (name: string) => boolean;
}

/** Writes the new files to the temporary folder. */
async function stage(folder: string, staged: string, change: Staging): Promise<Manifest> {
  const { before, write, keep, remove } = change;
  const files = { ...before?.files };
  const kept: Manifest['kept'] = {};
  for (const [name, other] of Object.entries(keep)) {
    const entry = before?.files[name];
    if (!entry || !Object.hasOwn(write, name)) continue;
    kept[name] = other;
    files[other] = entry;
  }
  const there = new Set([...Object.keys(files), ...(await readdir(folder))]);
  const removed = [...there].filter((name) => isFileName(name) && remove(name));
  for (const name of removed) delete files[name];
  for (const [name, content] of Object.entries(write)) {
    const path = join(folder, staged, name);
    try {
      await mkdir(dirname(path), { recursive: true });
      files[name] = await writeNew(path, content);
      await syncFolder(dirname(path));
    } catch (error) {
      throw named(join(folder, name), 'cannot be written', error);
    }
  }
  return { staged, files, removed, kept };
}

/** Whether every name leads to a place that a file can be renamed to. */
async function checkPlaces(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(folder, name);
    if (!isFileName(name)) throw new FileError(path, `'${name}' leads out of the folder`);
    await makeFolder(dirname(path));
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory()) throw new FileError(path, 'cannot be written: it is a folder');
  }
}

/** Recovers after a killed process: completes a commit, or removes files that were not committed. */
async function finishCommit(folder: string, manifest: Manifest | undefined): Promise<void> {
  if (manifest) await publish(folder, manifest);
  for (const name of await readdir(folder)) {
    if (name !== lockName && isLeftover(name))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Whether a name is that of a temporary folder of a killed commit. */
export function isLeftover(name: string): boolean {
  const temporaryManifest = /^\.headwise-manifest\.json\.[\da-f-]{36}\.tmp$/;
  return name === lockName || stagedPattern.test(name) || temporaryManifest.test(name);
}

/** Renames committed files into their places; idempotent. */
async function publish(folder: string, { staged, removed, kept }: Manifest): Promise<void> {
  const from = join(folder, staged);
  const found = await stat(from).catch(() => undefined);
  if (!found) return;
  try {
    const names = await filesBelow(from);
    for (const name of removed) await rm(join(folder, name), { force: true });
    for (const name of names) {
      const path = join(folder, name);
      // The staged file is there: what stands in its place is still the old one.
      const other = Object.hasOwn(kept, name) ? kept[name] : undefined;
      if (other !== undefined) await renameIfThere(path, join(folder, other));
      await rename(join(from, name), path);
    }
    for (const place of new Set(names.map((name) => dirname(join(folder, name))))) {
      await syncFolder(place);
    }
    await rm(from, { recursive: true });
    await syncFolder(folder);
  } catch (error) {
    throw named(folder, 'cannot be written', error);
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
