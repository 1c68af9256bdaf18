import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '@headwise/core';
import { readJson, writeJsonFile } from '@headwise/models/node';
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
    const folder = new RunFolder(path);
    const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new InputError(`${path}: is no folder to write to: ${error.message}`);
    });
    if (names.length > 0) await folder.#checkRun(config, resume);
    return folder;
  }

  /**
   * Makes the folder where there is none, and writes down the configuration.
   *
   * @throws InputError where it cannot be written
   */
  async create(config: RunConfig): Promise<void> {
    try {
      await mkdir(join(this.path, 'trainer'), { recursive: true });
      await this.#removeTemporary();
      await writeJsonFile(this.#configPath, config);
    } catch (error) {
      throw new InputError(`${this.path}: cannot be written: ${(error as Error).message}`);
    }
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
    const text = await readFile(this.#historyPath, 'utf8').catch(() => '');
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
    for (const part of ['model', 'tokenizer', 'data'] as const) {
      if (!isDeepStrictEqual(before[part], config[part])) {
        throw new InputError(
          `${this.path}: the run there has '${part}' ${JSON.stringify(before[part])}; the configuration given has ${JSON.stringify(config[part])}`,
        );
      }
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

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
