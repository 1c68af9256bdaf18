import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, Folder, isMissing, readBytes } from '@headwise/files';
import { dataLines, recordLine, sha256 } from './records.js';

/** A folder on a cluster whose states are sent to where it was asked for; what is there already is not sent again. */
export class SentFolder {
  readonly #path: string;
  readonly #write: (line: string) => void;
  /** The hashes of the files that the client has, by their names. */
  #sent: Map<string, string>;
  #commitId: string | undefined;
  /** Size and time of the files of a folder without a manifest that were sent. */
  readonly #seen = new Map<string, string>();

  private constructor(
    path: string,
    sent: Map<string, string>,
    { commitId, write }: { commitId: string | undefined; write: (line: string) => void },
  ) {
    this.#path = path;
    this.#sent = sent;
    this.#commitId = commitId;
    this.#write = write;
  }

  /** A folder that is now as the client has it. */
  static async of(path: string, write: (line: string) => void): Promise<SentFolder> {
    const folder = await Folder.open(path);
    const sent = new Map<string, string>();
    for (const name of await namesIn(folder)) {
      const hash = folder.entry(name)?.sha256 ?? sha256(await folder.readRequired(name));
      sent.set(name, hash);
    }
    return new SentFolder(path, sent, { commitId: folder.commitId, write });
  }

  /** Sends the last state of a run's or a model's folder, unless it was sent or changes meanwhile. */
  async sendWhole(): Promise<void> {
    const folder = await Folder.open(this.#path).catch(changed);
    if (folder?.commitId === undefined || folder.commitId === this.#commitId) return;
    const names = await folder.names();
    const files: { name: string; hash: string; bytes?: Uint8Array | undefined; from?: string }[] =
      [];
    for (const name of names) {
      const hash = folder.entry(name)!.sha256;
      if (this.#sent.get(name) === hash) continue;
      const [from] = [...this.#sent].find(([, other]) => other === hash) ?? [];
      if (from !== undefined) files.push({ name, hash, from });
      else {
        const bytes = await folder.read(name).catch(changed);
        if (!bytes) return;
        files.push({ name, hash, bytes });
      }
    }
    for (const { name, hash, bytes, from } of files) this.#file(name, hash, bytes, from);
    this.#write(recordLine({ type: 'commit', names, whole: true }));
    this.#commitId = folder.commitId;
    this.#sent = new Map(names.map((name) => [name, folder.entry(name)!.sha256]));
  }

  /**
   * Sends the files of a folder that is filled with finished files, each under its name at once, such as that of a
   * pipeline; the reports of units, which say that their documents are done, go after those.
   */
  async sendFiles(): Promise<void> {
    const done = new Set((await this.#finished()).filter(isReport));
    // The documents that these reports speak of were there before them: a second look finds them.
    const names = (await this.#finished()).filter((name) => !isReport(name) || done.has(name));
    names.sort((a, b) => Number(isReport(a)) - Number(isReport(b)));
    for (const name of names) {
      const path = join(this.#path, name);
      const found = await stat(path).catch(() => undefined);
      const form = found && `${found.size} ${found.mtimeMs}`;
      if (!form || this.#seen.get(name) === form) continue;
      const bytes = await readBytes(path);
      const hash = sha256(bytes);
      if (this.#sent.get(name) !== hash) {
        this.#file(name, hash, bytes);
        this.#write(recordLine({ type: 'commit', names: [name], whole: false }));
      }
      this.#seen.set(name, form);
      this.#sent.set(name, hash);
    }
  }

  /** The files that are not being written. */
  async #finished(): Promise<string[]> {
    const names = await namesIn(await Folder.open(this.#path));
    return names.filter((name) => !name.split('/').some((part) => part.startsWith('.')));
  }

  #file(
    name: string,
    hash: string,
    bytes: Uint8Array | undefined,
    from?: string | undefined,
  ): void {
    const source = from === undefined ? {} : { from };
    this.#write(recordLine({ type: 'file', name, sha256: hash, ...source }));
    if (bytes) for (const line of dataLines(bytes)) this.#write(line);
  }
}

/** The names of a folder's files; none where there is no folder yet. */
const namesIn = (folder: Folder): Promise<string[]> =>
  folder.names().catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });

const isReport = (name: string): boolean => name.startsWith('units/') || name === 'report.json';

/** A folder that a commit changes while it is read is read again later. */
function changed(error: unknown): undefined {
  if (error instanceof FileError) return undefined;
  throw error;
}
