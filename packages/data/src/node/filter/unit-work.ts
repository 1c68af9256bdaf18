import { join } from 'node:path';
import { writeFile } from '@headwise/files';
import type { Document, JsonValue } from '../../documents/document.js';
import type { Step } from '../../documents/step.js';
import { type StepSettings, stepsOf } from '../../documents/steps.js';
import { applySteps, emptyTally, type StepTally } from '../../documents/tally.js';
import { DataError } from '../../errors.js';
import { readGzipLines } from '../gzip-lines.js';
import { type Line, type LineUnit, readLines } from '../line-units.js';
import { Channel } from './channel.js';

/** What is done with documents, and whether those that are dropped are stored. */
export interface FilterSettings {
  readonly steps: readonly StepSettings[];
  /** Writes `rejects/*.jsonl`, each document with `rejected: { step, rule }`. Default false. */
  readonly rejects?: boolean | undefined;
}

/** A unit and its number, which names its files. */
export interface FilterTask {
  readonly number: number;
  readonly unit: LineUnit;
}

export const isGzip = (path: string): boolean => path.endsWith('.gz');

export const reportFile = (folder: string, unit: number): string =>
  join(folder, 'units', `${unitName(unit)}.json`);
const unitName = (unit: number) => String(unit).padStart(5, '0');

/** Does the work of units, in the main thread or in a worker. */
export function filterWorker(
  folder: string,
  { steps: settings, rejects = false }: FilterSettings,
): (task: FilterTask) => Promise<void> {
  const steps = stepsOf(settings, 'pipeline');
  return (task) => filterUnit(folder, steps, rejects, task);
}

/** Writes a unit's documents, then its rejects, and last its counts: a unit with counts is done. */
async function filterUnit(
  folder: string,
  steps: readonly Step[],
  storeRejects: boolean,
  { number, unit }: FilterTask,
): Promise<void> {
  const tally: StepTally[] = emptyTally(steps);
  const rejects = new Channel();
  const rejectsFile = join(folder, 'rejects', `${unitName(number)}.jsonl`);
  const rejectsWritten = storeRejects
    ? writeFile(rejectsFile, inBlocks(rejects))
    : Promise.resolve();
  rejectsWritten.catch(() => {}); // awaited below
  async function* kept(): AsyncGenerator<Uint8Array> {
    const lines = isGzip(unit.path) ? readGzipLines(unit.path) : readLines(unit);
    for await (const line of lines) {
      const document = parseDocument(line, unit.path);
      const outcome = await applySteps(document, steps, tally);
      if (!('rule' in outcome)) yield lineOf(outcome);
      else if (storeRejects) {
        const { step, rule } = outcome;
        // Where the file cannot be written, nobody takes what is pushed.
        await Promise.race([rejects.push(lineOf(document, { step, rule })), rejectsWritten]);
      }
    }
  }
  try {
    await writeFile(join(folder, 'documents', `${unitName(number)}.jsonl`), inBlocks(kept()));
    rejects.end();
  } catch (error) {
    rejects.fail(error);
    throw error;
  } finally {
    await rejectsWritten;
  }
  await writeFile(reportFile(folder, number), `${JSON.stringify(tally)}\n`);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A document of a line: `text`, `id` or the place of the line, and in `meta` everything else. */
function parseDocument({ bytes, at }: Line, path: string): Document {
  const where = `${path}: the line at byte ${at}`;
  let value: Record<string, JsonValue>;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new DataError(`${where} is not JSON in UTF-8: ${(cause as Error).message}`, { cause });
  }
  const { text, id, ...meta } = Object(value) as Record<string, JsonValue>;
  if (typeof text !== 'string') {
    throw new DataError(`${where} has no "text", expected an object with a string of that name`);
  }
  return { id: id === undefined ? `${path}:${at}` : String(id), text, meta };
}

/** The form in which it was read: what is in `meta` beside the text. */
const lineOf = ({ id, text, meta }: Document, rejected?: JsonValue): Uint8Array =>
  Buffer.from(`${JSON.stringify({ id, text, ...meta, ...(rejected && { rejected }) })}\n`);

/** Joins small pieces, so that each write is of a megabyte. */
async function* inBlocks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let block: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    block.push(piece);
    length += piece.length;
    if (length < 2 ** 20) continue;
    yield Buffer.concat(block);
    block = [];
    length = 0;
  }
  yield Buffer.concat(block);
}
