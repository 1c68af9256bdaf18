import { InputError } from '@headwise/core';
import type { Checkpoint, HistoryEntry, RunStorage, SavedState } from '@headwise/runs';
import type { Tokenizer } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { isValidated, rewind, saveProgress } from '../store/database.js';
import { hasRunFile, keepRunFiles, readRunFile, writeRunFile } from '../store/files.js';
import { addEntry, noNews, type RunNews, type RunRecord } from '../store/records.js';
import { heldStates } from './run-lock.js';

const stateName = (step: number) => `state-${step}.safetensors`;
const tokenizerName = 'tokenizer.json';

/** What is told of a run: its record, and what is new of its history. */
export type Tell = (record: RunRecord, news: RunNews) => void;

/**
 * A run in the browser: its state and tokenizer in the origin's private file system, its record and history in IndexedDB.
 *
 * A checkpoint is a state under its own name, then a transaction with the record that names it and the history up to it.
 */
export class StoredRun implements RunStorage {
  record: RunRecord;
  readonly #tell: Tell;
  #news: RunNews = noNews();

  constructor(record: RunRecord, tell: Tell) {
    this.record = record;
    this.#tell = tell;
  }

  /** What `tokenizer.json` holds; undefined before the first start. */
  tokenizer(): Promise<SavedState | undefined> {
    return savedFile(this.record, tokenizerName);
  }

  async keepTokenizer(tokenizer: Tokenizer): Promise<void> {
    const json = new TextEncoder().encode(JSON.stringify(tokenizer.toJSON()));
    await writeRunFile(this.record.id, tokenizerName, [json]);
  }

  state(): Promise<SavedState | undefined> {
    return savedState(this.record);
  }

  /** Also forgets what is not written yet: it comes after the last checkpoint. */
  async rewind(steps: number): Promise<{ validated: boolean }> {
    this.#news = noNews();
    this.record = await rewind(this.record, steps);
    return { validated: await isValidated(this.record.id, steps) };
  }

  note(entry: HistoryEntry): void {
    const memory = tf.memory() as { numBytes: number; numBytesAllocatedInGPU?: number };
    addEntry(this.record, this.#news, entry, memory.numBytesAllocatedInGPU ?? memory.numBytes);
  }

  async save({ step, state }: Checkpoint): Promise<void> {
    await writeRunFile(this.record.id, stateName(step), state);
    this.record.checkpoint = step;
    await this.report();
    await this.#forgetOlder(step);
  }

  /** Tells and writes the record and what is new of the history. */
  async report(): Promise<void> {
    const news = this.#news;
    this.#news = noNews();
    this.#tell({ ...this.record }, news);
    await saveProgress(this.record, news);
  }

  /** Removes the states before the one that the record now names, but for those that a fork waits for. */
  async #forgetOlder(checkpoint: number): Promise<void> {
    const steps = [checkpoint, ...(await heldStates(this.record.id))];
    const wanted = new Set([tokenizerName, ...steps.map(stateName)]);
    await keepRunFiles(this.record.id, (name) => wanted.has(name));
  }
}

/**
 * The state that a run's record names; undefined before the first checkpoint.
 *
 * @throws InputError where it is gone
 */
export async function savedState(record: RunRecord): Promise<SavedState | undefined> {
  const { checkpoint, name } = record;
  if (checkpoint === undefined) return undefined;
  const saved = await savedFile(record, stateName(checkpoint));
  if (saved) return saved;
  throw new InputError(`the saved state of ${name} at step ${checkpoint} is gone; start it anew`);
}

export function savedTokenizer(record: RunRecord): Promise<SavedState | undefined> {
  return savedFile(record, tokenizerName);
}

async function savedFile({ id, name }: RunRecord, file: string): Promise<SavedState | undefined> {
  const bytes = await readRunFile(id, file);
  return bytes && { name: `${file} of ${name}`, bytes };
}

/** Whether the state of a run after this many steps is saved. */
export function hasState(run: string, step: number): Promise<boolean> {
  return hasRunFile(run, stateName(step));
}

/** Writes the files of a run that goes on from a state made elsewhere. */
export async function writeState(
  run: string,
  step: number,
  { state, tokenizer }: { state: Uint8Array; tokenizer: Uint8Array },
): Promise<void> {
  await writeRunFile(run, tokenizerName, [tokenizer]);
  await writeRunFile(run, stateName(step), [state]);
}

/** Copies a saved state and the tokenizer to a run that goes on from there. */
export async function copyState(from: string, to: string, step: number): Promise<void> {
  for (const name of [tokenizerName, stateName(step)]) {
    const bytes = await readRunFile(from, name);
    if (bytes) await writeRunFile(to, name, [bytes]);
  }
}
