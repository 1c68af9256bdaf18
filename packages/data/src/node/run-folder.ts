import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, lockFile, makeFolder, writeFile } from '@headwise/files';
import { DataError } from '../errors.js';
import { type InputUnit, inputVersion } from './inputs.js';

/** Everything that the output of a run depends on. */
export interface RunPlan {
  readonly command: string;
  readonly settings: object;
  readonly units: readonly InputUnit[];
}

/**
 * Calls `run` while a folder is locked and ready: with its parts created, its `plan.json` written or found equal, and without what
 * a killed run was writing.
 *
 * @param parts the folders below it
 * @throws DataError when the folder holds another run, or files of none; LockedError when a run is under way in it
 */
export async function inRunFolder<R>(
  folder: string,
  parts: readonly string[],
  plan: RunPlan,
  run: () => Promise<R>,
): Promise<R> {
  await makeFolder(folder);
  const lock = await lockFile(join(folder, '.lock'));
  try {
    return await inRunFolderTogether(folder, parts, plan, async () => {
      for (const name of ['', ...parts]) await removeLeftovers(join(folder, name));
      return run();
    });
  } finally {
    await lock.release();
  }
}

/**
 * Calls `run` for some units of a run whose others are processed elsewhere at the same time: without a lock, and with what the
 * others are writing left alone.
 *
 * @throws DataError when the folder holds another run, or files of none
 */
export async function inRunFolderTogether<R>(
  folder: string,
  parts: readonly string[],
  plan: RunPlan,
  run: () => Promise<R>,
): Promise<R> {
  for (const name of ['', ...parts]) await makeFolder(join(folder, name));
  await checkPlan(folder, parts, await planText(plan));
  return run();
}

/** The file of a unit in a part of the folder: `documents/00012.jsonl`. */
export const unitFile = (folder: string, part: string, unit: number, ending: string): string =>
  join(folder, part, `${String(unit).padStart(5, '0')}.${ending}`);

/** Where a unit's report stands; it is written last, so that a unit with a report is done. */
export const unitReportFile = (folder: string, unit: number): string =>
  unitFile(folder, 'units', unit, 'json');

/** Writes the report of a unit whose other files are whole. */
export const writeUnitReport = (folder: string, unit: number, report: object): Promise<void> =>
  writeFile(unitReportFile(folder, unit), `${JSON.stringify(report)}\n`);

/** The reports of units 0 to `count - 1`, in order. */
export async function* readUnitReports<R>(folder: string, count: number): AsyncGenerator<R> {
  for (let unit = 0; unit < count; unit++) {
    yield JSON.parse(await readFile(unitReportFile(folder, unit), 'utf8')) as R;
  }
}

/** Writes the report of the whole run. */
export const writeReport = (folder: string, report: object): Promise<void> =>
  writeFile(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);

/** The report of a run that ended, undefined before it has. */
export async function readReport<R>(folder: string): Promise<R | undefined> {
  const text = await readIfThere(join(folder, 'report.json'));
  return text === undefined ? undefined : (JSON.parse(text) as R);
}

/** Whether there is a file of this path. */
export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function planText({ command, settings, units }: RunPlan): Promise<string> {
  const inputs = await Promise.all([...new Set(units.map(({ path }) => path))].map(inputVersion));
  return `${JSON.stringify({ command, ...settings, inputs, units })}\n`;
}

async function checkPlan(folder: string, parts: readonly string[], plan: string): Promise<void> {
  const path = join(folder, 'plan.json');
  const before = await readIfThere(path);
  if (before === plan) return;
  if (before !== undefined) {
    throw new DataError(
      `${path}: is of a run with other inputs or settings; give another folder, or remove this one`,
    );
  }
  for (const part of parts) {
    const names = await readdir(join(folder, part));
    if (names.every((name) => leftover.test(name))) continue;
    // Another process of the same run may have written both since.
    if ((await readIfThere(path)) === plan) return;
    throw new DataError(
      `${folder}: holds ${part} but no plan.json, expected an empty folder or a run to go on with`,
    );
  }
  await writeFile(path, plan);
}

/** The temporary name of a file that a killed run was writing. */
const leftover = /^\..*\.tmp$/;

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (leftover.test(name)) await rm(join(folder, name));
}

const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
