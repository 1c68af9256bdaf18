import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, type LanguageModel, type Network } from '@headwise/core';
import {
  commit,
  type FileContent,
  FileError,
  Folder,
  type FolderChange,
  isLeftover,
  type Lock,
  LockedError,
  lockFile,
  makeFolder,
  readBytes,
} from '@headwise/files';
import type { Lora, Model } from '@headwise/models';
import { parseJson } from '@headwise/models/internal';
import { adapterFiles, modelFiles, readJson } from '@headwise/models/node';
import {
  type HistoryEntry,
  hasValidation,
  historyBefore,
  historyText,
  parseHistory,
} from '../history.js';
import type { RunConfig } from '../run-config.js';
import { checkCorpus, corpusHash, inputFiles, runFileNames } from '../run-files.js';
import type { Checkpoint, RunStorage, SavedState } from '../storage.js';
import { checkSame, type RunIdentity, runIdentity } from './run-identity.js';

const {
  config: configName,
  corpus: corpusName,
  history: historyName,
  state: stateName,
  tokenizer: tokenizerName,
  generation: generationName,
} = runFileNames;
const earlierName = 'trainer/state-before.safetensors';

/** The inputs of a run, besides its configuration. */
export interface RunInputs {
  /** SHA-256 of the corpus, as one text; undefined for a task. */
  corpus?: string | undefined;
  /** What `tokenizer.json` holds. */
  tokenizer: string;
}

/** How a folder is looked at. */
export interface InspectOptions {
  resume?: boolean | undefined;
  warn?: ((line: string) => void) | undefined;
}

/**
 * The folder of a training run: a model in the Hugging Face layout or an adapter in PEFT's, and `trainer/`.
 *
 * State, model, configuration and history are committed as one; the state before the last one is kept.
 */
export class RunFolder<N extends Network = LanguageModel> implements RunStorage<N> {
  readonly path: string;
  readonly #warn: (line: string) => void;
  #files: Folder;
  #history: HistoryEntry[] = [];
  #lock: Lock | undefined;
  /** The last state is damaged: the one before it is not to be replaced by it. */
  #fellBack = false;

  private constructor(path: string, files: Folder, warn: (line: string) => void) {
    this.path = path;
    this.#warn = warn;
    this.#files = files;
  }

  /**
   * Looks at a folder for a run of a run's file; nothing is written before `create`.
   *
   * @param options `resume`: go on with the run in the folder, if it holds one; `warn` receives a message where files
   * there are damaged and the run can go on without them
   * @throws InputError where the folder holds a run and `resume` is not set, holds a run of another
   * configuration, or holds other files
   */
  static inspect(path: string, config: RunConfig, options?: InspectOptions): Promise<RunFolder> {
    return RunFolder.of(path, runIdentity(config), options);
  }

  /** Looks at a folder for a run of any kind, as `inspect` does; nothing is written before `begin`. */
  static async of<N extends Network = LanguageModel>(
    path: string,
    run: RunIdentity,
    { resume = false, warn = () => {} }: InspectOptions = {},
  ): Promise<RunFolder<N>> {
    const names = await namesIn(path);
    const folder = new RunFolder<N>(path, await Folder.open(path), warn);
    const before = await folder.#readJson(configName);
    if (before !== undefined) checkSame(path, before, { run, resume });
    else if (names.length > 0) {
      throw new InputError(`${path}: is not empty and holds no training run; give another folder`);
    }
    return folder;
  }

  /**
   * Throws where the run there was begun on another text.
   *
   * @param sha256 of the text that is given now
   * @param corpus its place, for the error: `'data.corpus' book.txt`
   */
  async checkCorpus(sha256: string, corpus: string): Promise<void> {
    checkCorpus(this.path, corpusHash(await this.#readJson(corpusName)), sha256, corpus);
  }

  /** What `tokenizer.json` holds, and its path; undefined where it has not been made. */
  async tokenizer(): Promise<SavedState | undefined> {
    const bytes = await this.#files.read(tokenizerName);
    return bytes && { name: join(this.path, tokenizerName), bytes };
  }

  /**
   * Creates the folder if needed, locks it against other processes, and writes the configuration of the run.
   *
   * @throws InputError where another process trains in it; FileError where it cannot be written
   */
  async create(config: RunConfig, { corpus, tokenizer }: RunInputs): Promise<void> {
    await this.begin({ ...inputFiles(config, corpus), [tokenizerName]: tokenizer });
  }

  /**
   * Does as `create`, with the files of any kind of run: those below `trainer/`, and those beside it, which are kept where
   * they are there.
   */
  async begin(files: Readonly<Record<string, FileContent>>): Promise<void> {
    await makeFolder(join(this.path, 'trainer'));
    this.#lock = await lockFile(join(this.path, 'trainer', 'lock')).catch((error) => {
      if (!(error instanceof LockedError)) throw error;
      throw new InputError(`${this.path}: ${error.holder} trains there now`, { cause: error });
    });
    try {
      await this.#beginLocked(files);
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  async #beginLocked(files: Readonly<Record<string, FileContent>>): Promise<void> {
    const seen = this.#files;
    this.#files = await Folder.open(this.path);
    if (this.#files.commitId !== seen.commitId) {
      throw new InputError(`${this.path}: another process has trained there meanwhile; try again`);
    }
    const write = { ...files };
    for (const name of Object.keys(write)) {
      const isKept = !name.startsWith('trainer/') && this.#files.entry(name) !== undefined;
      // How the model is sampled is the user's to change afterwards.
      if (isKept && (name !== generationName || (await this.#hasGenerationConfig()))) {
        delete write[name];
      }
    }
    await this.#commit({ write });
  }

  /** Lets other processes train in the folder. */
  async release(): Promise<void> {
    await this.#lock?.release();
    this.#lock = undefined;
  }

  async state(): Promise<SavedState | undefined> {
    let damage: FileError | undefined;
    for (const name of [stateName, earlierName]) {
      try {
        const bytes = await this.#files.read(name);
        if (!bytes) continue;
        if (damage) this.#warn(`${damage.message}; going on from the checkpoint before it`);
        return { name: join(this.path, name), bytes };
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        damage ??= error;
        this.#fellBack = true;
      }
    }
    if (damage) throw new InputError(damage.message, { cause: damage });
    return undefined;
  }

  async rewind(steps: number): Promise<{ validated: boolean }> {
    const path = join(this.path, historyName);
    const bytes = await this.#files.read(historyName).catch((error) => {
      if (!(error instanceof FileError)) throw error;
      this.#warn(error.message);
      return readBytes(path).catch(() => undefined);
    });
    const { entries, unreadable } = parseHistory(new TextDecoder().decode(bytes));
    if (unreadable > 0) this.#warn(`${path}: leaves out ${unreadable} lines that cannot be read`);
    this.#history = historyBefore(entries, steps);
    return { validated: hasValidation(this.#history, steps) };
  }

  /** Whether there is a checkpoint. */
  get saved(): boolean {
    return this.#files.entry(stateName) !== undefined;
  }

  /** The history so far, with what the next checkpoint saves of it. */
  get history(): readonly HistoryEntry[] {
    return this.#history;
  }

  note(entry: HistoryEntry): void {
    this.#history.push(entry);
  }

  /** Saves a checkpoint and the model or the adapter for other commands as one, and keeps the state before it. */
  async save({ state, model, adapter }: Checkpoint<N>): Promise<void> {
    const write = { [stateName]: state, [historyName]: historyText(this.#history) };
    const keep = this.#fellBack ? {} : { [stateName]: earlierName };
    // The state goes first: where training has diverged it says so, and in which step.
    await this.#commit({ write, keep }, resultFiles(model, adapter));
    this.#fellBack = false;
  }

  /** Saves the history, and the model or the adapter if they are given, without a new state. */
  saveBeside(result?: { model: Model<N>; adapter?: Lora | undefined }): Promise<void> {
    const history = { write: { [historyName]: historyText(this.#history) } };
    return this.#commit(...(result ? [resultFiles(result.model, result.adapter)] : []), history);
  }

  /** Whether the model or the adapter there is the one that was saved last. */
  async hasModel(): Promise<boolean> {
    const names = await this.#files.names();
    const model = names.filter((name) =>
      /^(config\.json|model.*\.safetensors.*|adapter_.*)$/.test(name),
    );
    try {
      for (const name of model) await this.#files.check(name);
      return model.length > 1;
    } catch (error) {
      if (error instanceof FileError) return false;
      throw error;
    }
  }

  /** Whether it is there and JSON; else warns that it is written anew. */
  async #hasGenerationConfig(): Promise<boolean> {
    const path = join(this.path, generationName);
    try {
      await readJson(path);
      return true;
    } catch (error) {
      this.#warn(`${(error as Error).message}; it is written anew`);
      return false;
    }
  }

  async #commit(...changes: FolderChange[]): Promise<void> {
    await commit(this.path, ...changes);
    this.#files = await Folder.open(this.path);
  }

  async #readJson(name: string): Promise<unknown> {
    const bytes = await this.#files.read(name);
    return bytes && parseJson(bytes, join(this.path, name));
  }
}

/** What other commands use of a run: its model, or its adapter. */
const resultFiles = (model: Model, adapter: Lora | undefined): FolderChange =>
  adapter ? adapterFiles(model, adapter) : modelFiles(model);

/** What lies in a folder, but for what a run that was killed at its start leaves there. */
async function namesIn(path: string): Promise<string[]> {
  const read = (folder: string) =>
    readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new InputError(`${folder}: is not a folder that can be written to: ${error.message}`, {
        cause: error,
      });
    });
  const names = (await read(path)).filter((name) => !isLeftover(name));
  if (names.length !== 1 || names[0] !== 'trainer') return names;
  return (await read(join(path, 'trainer'))).filter((name) => name !== 'lock');
}
