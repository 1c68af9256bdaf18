import { InputError } from '@headwise/core';
import { jsonText, parseJson } from '@headwise/models/internal';
import { type HistoryEntry, historyText, parseHistory } from './history.js';
import { parseRunConfig } from './parse-run-config.js';
import type { RunConfig } from './run-config.js';
import { documentEndOf } from './run-objectives.js';

/** The names of a run's files in its folder, beside those of its model. */
export const runFileNames = {
  config: 'trainer/config.json',
  corpus: 'trainer/corpus.json',
  history: 'trainer/history.jsonl',
  state: 'trainer/state.safetensors',
  tokenizer: 'tokenizer.json',
  generation: 'generation_config.json',
} as const;

/** A run at a checkpoint, as its folder holds it. */
export interface RunSnapshot {
  config: RunConfig;
  /** SHA-256 of the corpus, as one text; undefined for a task. */
  corpus?: string | undefined;
  history: readonly HistoryEntry[];
  /** What `tokenizer.json` holds. */
  tokenizer: Uint8Array;
  /** A safetensors file, as `trainerState` makes it. */
  state: Uint8Array;
}

/** The files of a new run's folder: its configuration, the hash of its text, and how its model is sampled. */
export function inputFiles(config: RunConfig, corpus: string | undefined): Record<string, string> {
  const end = documentEndOf(config);
  return {
    [runFileNames.config]: jsonText(config),
    ...(corpus === undefined ? {} : { [runFileNames.corpus]: jsonText({ sha256: corpus }) }),
    [runFileNames.generation]: jsonText({
      ...{ do_sample: true, temperature: 0.8, top_k: 0, top_p: 1 },
      // A model of packed documents ends them.
      ...(end === undefined ? {} : { eos_token_id: end }),
    }),
  };
}

/**
 * The files of a run by their names; with those of its model they are a folder from which `headwise train --resume` goes on.
 *
 * @example
 * const files = snapshotFiles(await readSnapshot(open, 'runs/first'));
 */
export function snapshotFiles(run: RunSnapshot): Record<string, string | Uint8Array> {
  return {
    ...inputFiles(run.config, run.corpus),
    [runFileNames.history]: historyText(run.history),
    [runFileNames.state]: run.state,
    [runFileNames.tokenizer]: run.tokenizer,
  };
}

/**
 * Reads a run from the files of its folder.
 *
 * @param open gives the bytes of a file by its name; undefined where there is none
 * @param name the folder's, for errors
 * @throws InputError naming what is missing or cannot be read
 */
export async function readSnapshot(
  open: (name: string) => Promise<Uint8Array | undefined>,
  name: string,
): Promise<RunSnapshot> {
  const required = async (file: string): Promise<Uint8Array> => {
    const bytes = await open(file);
    if (bytes) return bytes;
    throw new InputError(
      `${name}: has no ${file}; expected the folder of a run with a checkpoint, as headwise train writes it`,
    );
  };
  const { config, corpus, history, state, tokenizer } = runFileNames;
  const path = `${name}/${config}`;
  const settings = parseRunConfig(parseJson(await required(config), path), path);
  const hash = await open(corpus);
  const text = new TextDecoder().decode((await open(history)) ?? new Uint8Array());
  return {
    config: settings,
    corpus: hash && corpusHash(parseJson(hash, `${name}/${corpus}`)),
    history: parseHistory(text).entries,
    tokenizer: await required(tokenizer),
    state: await required(state),
  };
}

/** The SHA-256 that `trainer/corpus.json` holds. */
export function corpusHash(value: unknown): string | undefined {
  const { sha256 } = (value ?? {}) as { sha256?: unknown };
  return typeof sha256 === 'string' ? sha256 : undefined;
}

/**
 * Throws where a run was begun on another text.
 *
 * @param run its name, for the error
 * @param there SHA-256 of the text that it was begun on; undefined before it begins
 * @param given of the text that is given now
 * @param corpus its place, for the error: `'data.corpus' book.txt`
 */
export function checkCorpus(
  run: string,
  there: string | undefined,
  given: string,
  corpus: string,
): void {
  if (there === undefined || there === given) return;
  throw new InputError(
    `${run}: the run there was trained on a text with the SHA-256 ${there}; ${corpus} has ${given}. Restore the text, or begin another run`,
  );
}
