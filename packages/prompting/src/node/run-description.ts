import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@headwise/core';
import type { JsonValue } from '@headwise/data';
import { FileError, isMissing, writeFile } from '@headwise/files';

/** Everything that the results of a run depend on. */
export type RunDescription = Readonly<Record<string, JsonValue>>;

/** The files of a run that can go on: what it is, and what it has made so far. */
export const runNames = { description: 'run.json', journal: 'journal.jsonl' } as const;

/** What tells a run from others, whenever it was begun. */
export const idOf = (described: RunDescription): string =>
  createHash('sha256').update(JSON.stringify(described)).digest('hex').slice(0, 16);

/**
 * Writes a run's description with the date, or checks that the one there is the same.
 *
 * @throws InputError where the folder holds another run, naming what differs; FileError where the description cannot be read or written
 */
export async function beginRun(folder: string, described: RunDescription): Promise<void> {
  const path = join(folder, runNames.description);
  const before = await readFile(path, 'utf8').catch((error) => {
    if (isMissing(error)) return undefined;
    throw new FileError(path, `cannot be read: ${(error as Error).message}`, { cause: error });
  });
  if (before === undefined) {
    await checkNew(folder);
    const begun = { id: idOf(described), date: new Date().toISOString(), ...described };
    return writeFile(path, `${JSON.stringify(begun, null, 2)}\n`);
  }
  let there: RunDescription;
  try {
    there = JSON.parse(before) as RunDescription;
  } catch (error) {
    throw new FileError(path, `is not JSON: ${(error as Error).message}`, { cause: error });
  }
  for (const [name, value] of Object.entries(described)) {
    const [was, is] = [JSON.stringify(there[name]), JSON.stringify(value)];
    if (was === is) continue;
    throw new InputError(
      `${path}: the run there has '${name}' ${shortened(was ?? 'not')}; given is ${shortened(is)}: give another folder, or what the run was begun with`,
    );
  }
}

async function checkNew(folder: string): Promise<void> {
  const handle = await open(join(folder, runNames.journal)).catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (!handle) return;
  await handle.close();
  throw new InputError(
    `${folder}: holds ${runNames.journal} but no ${runNames.description}; expected an empty folder or a run to go on with`,
  );
}

const shortened = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}…` : text);
