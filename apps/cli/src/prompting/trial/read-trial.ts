import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { InputError, quoted } from '@headwise/core';
import { DataError, type JsonValue, readRows } from '@headwise/data';
import {
  type AnyValue,
  parseTrialPrompt,
  shuffledExamples,
  type TrialExample,
  type TrialPrompt,
} from '@headwise/prompting';
import { readData } from '../../read-data.js';
import { readText } from '../../read-text.js';

/** The prompt of a JSON file, named by the file where it has no name of its own. */
export async function readTrialPrompt(path: string): Promise<TrialPrompt> {
  const text = await readText('--prompt', path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError(`--prompt ${path} is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return parseTrialPrompt(json, { file: `--prompt ${path}`, name: basename(path, extname(path)) });
}

/** Which fields of a row are not values of slots. */
export interface RowFields {
  /** Names the example in place of its line. */
  readonly id?: string | undefined;
  /** Names its group. */
  readonly group?: string | undefined;
  readonly ignored: readonly string[];
}

/** Examples of a file, and which file it was. */
export interface TrialData {
  readonly examples: readonly TrialExample[];
  readonly source: JsonValue;
}

/**
 * The examples of a file of JSON lines or Parquet: a row's fields are the values of slots. They are named by the file's name and their line.
 *
 * @throws DataError naming the line, for a row that is not an object, has no value for a slot of a prompt, or one for none
 */
export async function readTrialExamples(
  path: string,
  prompts: readonly TrialPrompt[],
  fields: RowFields,
): Promise<TrialData> {
  const bytes = await readData(path);
  const name = path === '-' ? 'standard input' : path;
  const { rows, places } = await readRows(bytes, name);
  if (rows.length === 0)
    throw new DataError(`${name}: holds no example; expected an object a line`);
  const examples = rows.map((row, n) =>
    exampleOf(row, {
      prompts,
      fields,
      where: `${name}:${places[n]}`,
      place: `${basename(name)}:${places[n]}`,
    }),
  );
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { examples, source: { file: basename(name), sha256 } };
}

function exampleOf(
  row: unknown,
  {
    prompts,
    fields: { id, group, ignored },
    where,
    place,
  }: {
    readonly prompts: readonly TrialPrompt[];
    readonly fields: RowFields;
    readonly where: string;
    readonly place: string;
  },
): TrialExample {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new DataError(`${where}: is ${quoted(row)}; expected an object`);
  }
  const values = row as Record<string, AnyValue>;
  const named = (field: string | undefined): string | undefined => {
    if (field === undefined) return undefined;
    const value = values[field];
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    throw new DataError(`${where}: '${field}' is ${quoted(value)}; expected a text or a number`);
  };
  const known = new Set(prompts.flatMap(slotsOf));
  const other = [id, group, ...ignored];
  const entries = Object.entries(values).filter(
    ([name]) => known.has(name) || !other.includes(name),
  );
  for (const prompt of prompts) {
    const missing = slotsOf(prompt).find(
      (slot) => values[slot] === undefined || values[slot] === null,
    );
    if (missing === undefined) continue;
    throw new DataError(
      `${where}: has no field '${missing}', which prompt '${prompt.name}' has a slot for; its fields are ${namesOf(values)}`,
    );
  }
  const strange = entries.find(([name]) => !known.has(name));
  if (strange) {
    throw new DataError(
      `${where}: the field '${strange[0]}' has no slot in prompt '${prompts[0]!.name}'; its slots are ${[...known].map((slot) => `'${slot}'`).join(', ')}: name it in --ignore, or give it a slot`,
    );
  }
  const label = named(group);
  return {
    id: named(id) ?? place,
    values: Object.fromEntries(entries),
    ...(label === undefined ? {} : { group: label }),
  };
}

const slotsOf = ({ task }: TrialPrompt): string[] =>
  [
    ...new Set([...Object.keys(task.withExamples([]).slots), ...Object.keys(task.answer.slots)]),
  ].filter((slot) => slot !== 'examples');

const namesOf = (values: object): string =>
  Object.keys(values)
    .map((name) => `'${name}'`)
    .join(', ') || 'none';

/**
 * Which of the examples are shown and which are asked, where one file has both: a share at random is shown, of every group.
 *
 * @param shots examples of a prompt; the pool needs at least as many
 */
export function splitExamples(
  examples: readonly TrialExample[],
  { shots, share, seed }: { shots: number; share: number; seed: number },
): { pool: readonly TrialExample[]; examples: readonly TrialExample[] } {
  if (shots === 0) return { pool: [], examples };
  const shown = new Set<TrialExample>();
  for (const group of new Set(examples.map((one) => one.group))) {
    const own = examples.filter((one) => one.group === group);
    const count = Math.max(shots, Math.ceil(share * own.length));
    for (const one of shuffledExamples(own, seed).slice(0, count)) shown.add(one);
  }
  const asked = examples.filter((one) => !shown.has(one));
  if (asked.length > 0) {
    return { pool: examples.filter((one) => shown.has(one)), examples: asked };
  }
  throw new InputError(
    `--data has ${examples.length} examples, and ${shots} shots take all of them; expected more, or --pool`,
  );
}
