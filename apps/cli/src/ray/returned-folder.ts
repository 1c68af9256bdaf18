import { dirname, join } from 'node:path';
import { commit, Folder, makeFolder, readBytes, writeFile } from '@headwise/files';
import { RayError } from './client.js';
import { type JobRecord, sha256 } from './records.js';

/** A folder that comes back from a cluster: each state of it is written as one, or not at all. */
export class ReturnedFolder {
  readonly #path: string;
  /** Files that have come, until a `commit` puts them in their places. */
  #waiting = new Map<string, Uint8Array>();
  #file: { name: string; sha256: string; parts: Buffer[] } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** A part of the file that was announced last. */
  data(part: Buffer): void {
    this.#file?.parts.push(part);
  }

  /** Takes a record about files; of `commit` returns when the files are in their places. */
  async take(record: JobRecord): Promise<void> {
    this.#endFile();
    if (record.type === 'file' && record.from !== undefined) {
      this.#keep(record, await readBytes(join(this.#path, record.from)));
    } else if (record.type === 'file') {
      this.#file = { name: record.name, sha256: record.sha256, parts: [] };
    } else if (record.type === 'commit') await this.#commit(record);
  }

  #endFile(): void {
    if (this.#file) this.#keep(this.#file, Buffer.concat(this.#file.parts));
    this.#file = undefined;
  }

  #keep(file: { name: string; sha256: string }, bytes: Uint8Array): void {
    if (sha256(bytes) !== file.sha256) {
      throw new RayError(
        `${join(this.#path, file.name)}: has not come back as it was sent; what was there stays`,
      );
    }
    this.#waiting.set(file.name, bytes);
  }

  async #commit({ names, whole }: Extract<JobRecord, { type: 'commit' }>): Promise<void> {
    const write = Object.fromEntries(this.#waiting);
    this.#waiting = new Map();
    if (whole) {
      const kept = new Set(names);
      const before = await Folder.open(this.#path);
      const remove = (name: string) => !kept.has(name) && before.entry(name) !== undefined;
      await commit(this.#path, { write, remove });
      return;
    }
    for (const [name, bytes] of Object.entries(write)) {
      if (!isBelow(name)) throw new RayError(`${this.#path}: '${name}' leads out of the folder`);
      const path = join(this.#path, name);
      await makeFolder(dirname(path));
      await writeFile(path, bytes);
    }
  }
}

/** Whether a name with `/` stays in its folder. */
const isBelow = (name: string): boolean =>
  name.split('/').every((part) => /^[^\\:\0]+$/.test(part) && !/^\.{1,2}$/.test(part));
