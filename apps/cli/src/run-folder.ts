import { rmSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '@headwise/core';
import { makeFolder, readJson, writeJsonFile } from '@headwise/models/node';
import { checkRunConfig, type RunConfig } from './run-config.js';

/** A line of a run's history. */
export type HistoryEntry =
  | { step: number; loss: number; gradientNorm: number; learningRate: number; ms: number }
  | { step: number; validation: { loss: number; bitsPerByte: number } };

/**
 * The folder of a training run: a model folder in the Hugging Face layout, and `trainer/`.
 *
 * `trainer/state.safetensors` alone is what a run resumes from; every file is written to a temporary
 * name and renamed, or, the history, cut back to that state.
 */
export class RunFolder {
  readonly tokenizerPath: string;
  readonly statePath: string;
  readonly #configPath: string;
  readonly #historyPath: string;

  private constructor(readonly path: string) {
    this.tokenizerPath = join(path, 'tokenizer.json');
    this.statePath = join(path, 'trainer', 'state.safetensors');
    this.#configPath = join(path, 'trainer', 'config.json');
    this.#historyPath = join(path, 'trainer', 'history.jsonl');
  }

  /**
   * Looks at a folder for a run; nothing is written before `create`.
   *
   * @param resume go on with the run in the folder, if it holds one
   * @throws InputError where the folder holds a run and `resume` is not set, holds a run of another
   * configuration, or holds other files
   */
  static async inspect(path: string, config: RunConfig, resume: boolean): Promise<RunFolder> {
    if (path === '') throw new InputError("--out is ''; expected the name of a folder");
    const folder = new RunFolder(path);
    const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new InputError(`${path}: is no folder to write to: ${error.message}`);
    });
    if (names.length > 0) await folder.#checkRun(config, resume);
    return folder;
  }

  /**
   * Makes the folder where there is none, keeps other processes out, and writes down the configuration.
   *
   * @throws InputError where it cannot be written, or another process trains in it
   */
  async create(config: RunConfig): Promise<void> {
    await makeFolder(join(this.path, 'trainer'));
    await this.#lock();
    await this.#removeTemporary();
    await writeJsonFile(this.#configPath, config);
  }

  /** Leaves the folder to this process, until it ends. */
  async #lock(): Promise<void> {
    const path = join(this.path, 'trainer', 'lock');
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (owner > 0 && owner !== process.pid && isRunning(owner)) {
      throw new InputError(`${this.path}: process ${owner} trains there now`);
    }
    // A process that was killed leaves its lock behind.
    await rm(path, { force: true });
    await writeFile(path, String(process.pid), { flag: 'wx' }).catch((error: Error) => {
      throw new InputError(`${path}: cannot be written: ${error.message}`);
    });
    process.on('exit', () => rmSync(path, { force: true }));
  }

  /** Whether there is a state to go on from. */
  async hasState(): Promise<boolean> {
    return exists(this.statePath);
  }

  /** Whether the tokenizer has been made. */
  async hasTokenizer(): Promise<boolean> {
    return exists(this.tokenizerPath);
  }

  /** The lines of the history, a half-written last one left out. */
  async history(): Promise<HistoryEntry[]> {
    const text = await readFile(this.#historyPath, 'utf8').catch((error) => orMissing(error, ''));
    return text.split('\n').flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as HistoryEntry];
      } catch {
        return [];
      }
    });
  }

  /** Cuts the history back to what was before a step, as a run that resumes there makes it again. */
  async cutHistory(step: number): Promise<HistoryEntry[]> {
    const kept = (await this.history()).filter((entry) =>
      'validation' in entry ? entry.step <= step : entry.step < step,
    );
    const temporary = `${this.#historyPath}.tmp`;
    await writeFile(temporary, kept.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    await rename(temporary, this.#historyPath);
    return kept;
  }

  /** Adds lines to the history. */
  async addHistory(entries: readonly HistoryEntry[]): Promise<void> {
    const handle = await open(this.#historyPath, 'a');
    try {
      await handle.write(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    } finally {
      await handle.close();
    }
  }

  async #checkRun(config: RunConfig, resume: boolean): Promise<void> {
    if (!(await exists(this.#configPath))) {
      throw new InputError(
        `${this.path}: is not empty and holds no training run; give another folder`,
      );
    }
    if (!resume) {
      throw new InputError(
        `${this.path}: holds a training run already; give --resume to go on with it, or another folder`,
      );
    }
    const before = checkRunConfig(await readJson(this.#configPath), this.#configPath);
    const [there, given] = [fixed(before), fixed(config)];
    for (const part of Object.keys(there)) {
      if (isDeepStrictEqual(there[part], given[part])) continue;
      throw new InputError(
        `${this.path}: the run there has '${part}' ${JSON.stringify(there[part])}; the configuration given has ${JSON.stringify(given[part])}`,
      );
    }
  }

  /** Removes what a killed run was writing. */
  async #removeTemporary(): Promise<void> {
    for (const folder of [this.path, join(this.path, 'trainer')]) {
      for (const name of await readdir(folder)) {
        if (/^\..*\.tmp$/.test(name)) await rm(join(folder, name));
      }
    }
  }
}

/** What a run that resumes must have as it was, for its losses to be those of one run. */
function fixed({ model, tokenizer, data, training }: RunConfig): Record<string, unknown> {
  const { seed, batchSize } = training;
  return { model, tokenizer, data, 'training.seed': seed, 'training.batchSize': batchSize };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch((error) => orMissing(error, undefined))) !== undefined;
}

/** What stands for a file that is missing; all other errors are thrown. */
function orMissing<T>(error: NodeJS.ErrnoException, missing: T): T {
  if (error.code === 'ENOENT') return missing;
  throw error;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // A process of somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
