import { join } from 'node:path';
import type { JsonValue } from '@headwise/data';
import { lockFile, makeFolder, writeFile } from '@headwise/files';
import { type MakeOptions, makeExamples, settingsOf } from '../make/make-examples.js';
import type { LeftOutRow, MadeEntry, MakeItem, PastEntry, Recipe } from '../make/recipe.js';
import { Journal } from './journal.js';
import { beginRun, idOf, type RunDescription, runNames } from './run-description.js';

/** Options of `makeInFolder`. */
export interface MakeFolderOptions extends Omit<MakeOptions, 'past'> {
  /** What the items were read from, such as a file's name and hash; a run that goes on must have the same. */
  readonly source?: JsonValue | undefined;
  /** Called with the run's state before its first item and after each. */
  readonly onProgress?: ((progress: MakeProgress) => void) | undefined;
}

/** How far a run is. */
export interface MakeProgress {
  readonly round: number;
  /** Items of the round, and how many of them are done. */
  readonly items: number;
  readonly done: number;
  /** Rows that were kept and left out, of all rounds. */
  readonly kept: number;
  readonly leftOut: number;
  /** Tokens that models have written in this process. */
  readonly tokens: number;
}

/** What a run made. */
export interface MakeReport {
  readonly recipe: string;
  readonly items: number;
  readonly kept: number;
  readonly leftOut: number;
  /** How many were left out, by rule. */
  readonly rules: Readonly<Record<string, number>>;
  /** Tokens that models have read and written. */
  readonly promptTokens: number;
  readonly answerTokens: number;
}

const names = {
  ...runNames,
  examples: 'examples.jsonl',
  leftOut: 'left-out.jsonl',
  report: 'report.json',
};

/**
 * Makes examples into a folder: `examples.jsonl`, which is trained on, `left-out.jsonl` with reasons, `report.json`, `run.json`, which describes
 * the run and has its date, and `journal.jsonl` with every prompt and answer.
 *
 * A run that was ended, by a kill too, goes on when it is called again, and ends with the same bytes. The date is that of the first start and
 * stands in `run.json` alone, so that the same seed, model and backend give the same examples.
 *
 * @throws InputError where the folder holds another run, naming what differs; LockedError while a run is under way in it; FileError; what
 * `makeExamples` throws
 * @example
 * const report = await makeInFolder('made', responses(queries), { model, seed: 1 });
 */
export async function makeInFolder<Item extends MakeItem>(
  folder: string,
  recipe: Recipe<Item>,
  { source = null, onProgress, ...options }: MakeFolderOptions,
): Promise<MakeReport> {
  await makeFolder(folder);
  const lock = await lockFile(join(folder, '.lock'));
  try {
    const described = description(recipe, options, source);
    await beginRun(folder, described);
    const journal = await Journal.open(join(folder, names.journal), pastOf);
    try {
      await goOn(journal, recipe, options, onProgress);
    } finally {
      await journal.close();
    }
    return await writeResults(folder, recipe.name, idOf(described));
  } finally {
    await lock.release();
  }
}

const pastOf = ({ asked: _, ...rest }: MadeEntry): PastEntry => rest;

async function goOn<Item extends MakeItem>(
  journal: Journal<MadeEntry, PastEntry>,
  recipe: Recipe<Item>,
  options: MakeOptions,
  onProgress: MakeFolderOptions['onProgress'],
): Promise<void> {
  const { past } = journal;
  const count = { kept: 0, leftOut: 0, tokens: 0 };
  for (const { rows, leftOut } of past) {
    count.kept += rows.length;
    count.leftOut += leftOut.length;
  }
  let at = { round: 0, items: 0, done: 0 };
  const onRound = (round: number, items: number) => {
    options.onRound?.(round, items);
    const done = past.filter((entry) => entry.round === round).length;
    at = { round, items, done };
    onProgress?.({ ...at, ...count });
  };
  for await (const entry of makeExamples(recipe, { ...options, past: [...past], onRound })) {
    await journal.append(entry);
    count.kept += entry.rows.length;
    count.leftOut += entry.leftOut.length;
    for (const { answerTokens } of entry.asked) count.tokens += answerTokens;
    at = { ...at, done: at.done + 1 };
    onProgress?.({ ...at, ...count });
  }
}

/** Everything that the rows depend on. */
function description<Item extends MakeItem>(
  recipe: Recipe<Item>,
  options: MakeOptions,
  source: JsonValue,
): RunDescription {
  const { model, options: own, recipe: name, ...settings } = settingsOf(recipe.name, options);
  const prompts = Object.entries(recipe.prompts).map(([name, prompt]) => [name, prompt.source]);
  return {
    recipe: name,
    settings: recipe.settings,
    model: { name: model.name, revision: model.revision ?? null },
    ...settings,
    options: JSON.parse(JSON.stringify(own)) as JsonValue,
    filters: (options.filters ?? []).map(({ settings }) => settings),
    prompts: JSON.parse(JSON.stringify(Object.fromEntries(prompts))) as JsonValue,
    source,
  };
}

/** Writes examples, what was left out, and the report, from the journal alone. */
async function writeResults(folder: string, recipe: string, id: string): Promise<MakeReport> {
  const path = join(folder, names.journal);
  const report = {
    recipe,
    ...{ items: 0, kept: 0, leftOut: 0 },
    rules: {} as Record<string, number>,
    ...{ promptTokens: 0, answerTokens: 0 },
  };
  await writeFile(join(folder, names.leftOut), linesOf(leftOutOf(path)));
  await writeFile(join(folder, names.examples), linesOf(examplesOf(path, id)));
  for await (const { rows, leftOut, asked } of Journal.read<MadeEntry>(path)) {
    report.items++;
    report.kept += rows.length;
    report.leftOut += leftOut.length;
    for (const { rule } of leftOut) report.rules[rule] = (report.rules[rule] ?? 0) + 1;
    for (const { promptTokens, answerTokens } of asked) {
      report.promptTokens += promptTokens;
      report.answerTokens += answerTokens;
    }
  }
  await writeFile(join(folder, names.report), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

async function* examplesOf(path: string, id: string): AsyncGenerator<JsonValue> {
  for await (const { rows } of Journal.read<MadeEntry>(path)) {
    for (const { example } of rows) {
      const { made, ...rest } = example;
      yield { ...rest, made: { ...(made as object), run: id } };
    }
  }
}

async function* leftOutOf(path: string): AsyncGenerator<JsonValue> {
  for await (const { place, leftOut } of Journal.read<MadeEntry>(path)) {
    for (const row of leftOut) yield { place, ...(row as LeftOutRow & { example: JsonValue }) };
  }
}

async function* linesOf(values: AsyncIterable<JsonValue>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const value of values) yield encoder.encode(`${JSON.stringify(value)}\n`);
}
