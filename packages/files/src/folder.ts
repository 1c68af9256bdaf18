import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { damaged, FileCheck, type OpenFile } from './check.js';
import { FileError, isMissing, named } from './errors.js';
import { type Manifest, readManifest } from './manifest.js';
import { openFile } from './read.js';
import type { FileEntry } from './write.js';

/** The files of a folder, checked against its manifest where it has one. */
export class Folder {
  readonly path: string;
  readonly #manifest: Manifest | undefined;
  /** A commit was not carried out to its end: its files may not be in their places yet. */
  readonly #pending: boolean;

  private constructor(path: string, manifest: Manifest | undefined, pending: boolean) {
    this.path = path;
    this.#manifest = manifest;
    this.#pending = pending;
  }

  /**
   * Reads a folder's manifest.
   *
   * @throws FileError where it is damaged
   */
  static async open(path: string): Promise<Folder> {
    const manifest = await readManifest(path);
    return new Folder(path, manifest, !!manifest && (await exists(join(path, manifest.staged))));
  }

  /** Unique name of the last commit; undefined if the folder has no manifest. */
  get commitId(): string | undefined {
    return this.#manifest?.staged;
  }

  /** The length and hash that a file was saved with. */
  entry(name: string): FileEntry | undefined {
    const { files = {} } = this.#manifest ?? {};
    return Object.hasOwn(files, name) ? files[name] : undefined;
  }

  /** The names of all files: those that were saved, or those that lie in a folder without a manifest. */
  async names(): Promise<string[]> {
    return this.#manifest ? Object.keys(this.#manifest.files) : filesBelow(this.path);
  }

  /**
   * Opens a file; undefined if it does not exist.
   *
   * @throws FileError where it is not a regular file, or not of the length that it was saved with
   */
  async openFile(name: string): Promise<OpenFile | undefined> {
    if (this.#pending && this.#manifest!.removed.includes(name)) return undefined;
    const entry = this.entry(name);
    for (const path of await this.#places(name)) {
      const opened = await openFile(path).catch((error) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (!opened) continue;
      const file = { path, ...opened, entry };
      try {
        if (entry) await this.#checkLength(name, file, entry);
        return file;
      } catch (error) {
        await opened.handle.close();
        throw error;
      }
    }
    if (entry) {
      await this.#checkCurrent(name, entry);
      throw damaged(join(this.path, name), 'is missing, though it was saved');
    }
    return undefined;
  }

  /**
   * The bytes of a file, checked against its hash; undefined if it does not exist.
   *
   * @throws FileError where the file is not as it was saved
   */
  async read(name: string): Promise<Uint8Array | undefined> {
    const file = await this.openFile(name);
    if (!file) return undefined;
    try {
      const bytes = await file.handle.readFile();
      const check = new FileCheck(file);
      check.seen(0, bytes);
      await check.finish();
      return bytes;
    } catch (error) {
      throw named(file.path, 'cannot be read', error);
    } finally {
      await file.handle.close();
    }
  }

  /**
   * Opens a file that must exist.
   *
   * @throws FileError where it does not exist, is not a regular file, or not of the length that it was saved with
   */
  async openRequired(name: string): Promise<OpenFile> {
    return (await this.openFile(name)) ?? this.#missing(name, 'cannot be opened');
  }

  /**
   * The bytes of a file that must exist, checked against its hash.
   *
   * @throws FileError where it does not exist, or is not as it was saved
   */
  async readRequired(name: string): Promise<Uint8Array> {
    return (await this.read(name)) ?? this.#missing(name, 'cannot be read');
  }

  #missing(name: string, what: string): never {
    throw new FileError(join(this.path, name), `${what}: ENOENT: there is no such file`);
  }

  /**
   * Compares a file with its hash.
   *
   * @throws FileError where it is missing, or not as it was saved
   */
  async check(name: string): Promise<void> {
    const file = await this.openFile(name);
    if (!file) throw damaged(join(this.path, name), 'is missing');
    await new FileCheck(file).finish().finally(() => file.handle.close());
  }

  /** Where a file may lie: where a commit has left it, and its own place, to which it may go meanwhile. */
  async #places(name: string): Promise<string[]> {
    const place = join(this.path, name);
    if (!this.#pending) return [place];
    const { staged, kept } = this.#manifest!;
    const origin = Object.keys(kept).find((from) => kept[from] === name);
    if (origin === undefined) return [join(this.path, staged, name), place];
    // What is kept leaves its old place before the new file comes there.
    const waits = await exists(join(this.path, staged, origin));
    return waits ? [join(this.path, origin), place] : [place];
  }

  async #checkLength(name: string, { path, size }: OpenFile, entry: FileEntry): Promise<void> {
    await this.#checkCurrent(name, entry);
    if (size !== entry.bytes) throw damaged(path, `has ${size} bytes; ${entry.bytes} were saved`);
  }

  /** Throws where the file was saved anew since the manifest was read. */
  async #checkCurrent(name: string, entry: FileEntry): Promise<void> {
    const now = await readManifest(this.path);
    if (now?.staged === this.#manifest!.staged || now?.files[name]?.sha256 === entry.sha256) return;
    throw new FileError(
      join(this.path, name),
      'was saved anew while the folder was read; read it again',
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** The files in a folder and below it, by their names with `/`. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
}
