import { lab, notify, putRecord } from '../../lab.js';
import { type GroupName, groups, type RunConfig, readUnshown } from '../../model/run-config.js';
import {
  type ConfigProblem,
  configProblems,
  settings,
  withoutUnused,
} from '../../model/settings.js';
import type { RunRecord } from '../../store/records.js';

/** The settings of a new run. Its numbers are those of the form, NaN for text that is not a number. */
export interface Draft {
  name: string;
  config: RunConfig;
  /** The run and the saved state that it goes on from. */
  fork?: { id: string; name: string; step: number };
}

/** Why a draft cannot be started; empty where it can. */
export function draftProblems({ config, fork }: Draft): ConfigProblem[] {
  const problems = configProblems(config);
  if (!fork || problems.length > 0 || config.training.steps > fork.step) return problems;
  const message = `More than ${fork.step}, which are made already.`;
  return [{ key: ['training', 'steps'], title: 'Steps', message }];
}

/** A draft read from JSON, which has no NaN; undefined if it is not one. */
export function readDraft(value: unknown): Draft | undefined {
  const { name, config: given, fork } = (value ?? {}) as Partial<Draft>;
  if (typeof name !== 'string') return undefined;
  const config: Record<string, Record<string, unknown>> = {};
  for (const group of Object.keys(groups) as GroupName[]) {
    const values = (given?.[group] ?? {}) as Record<string, unknown>;
    config[group] = {};
    for (const { key, choices, flag, limits } of settings[group]) {
      const value = values[key] === null ? Number.NaN : values[key];
      const fits = choices
        ? choices.includes(value as string)
        : flag
          ? typeof value === 'boolean'
          : typeof value === 'number' || (value === undefined && limits.optional);
      if (!fits) return undefined;
      if (value !== undefined) config[group][key] = value;
    }
    if (group === 'data' && typeof values.file === 'string') config[group].file = values.file;
  }
  const unshown = readUnshown(given?.unshown);
  if (unshown) Object.assign(config, { unshown });
  const known = typeof fork?.id === 'string' && Number.isInteger(fork.step) ? fork : undefined;
  return { name, config: config as unknown as RunConfig, ...(known ? { fork: known } : {}) };
}

/** Keeps the state that a fork of a run goes on from, and gives its step. */
export async function forkPoint(
  { id, name }: Pick<RunRecord, 'id' | 'name'>,
  wanted?: number,
): Promise<Draft['fork']> {
  return { id, name, step: await lab.call('holdState', [id, wanted]) };
}

/**
 * Starts a run from a draft, and gives its id.
 *
 * @throws an error that says why it did not start
 */
export async function startRun({ name, config: shown, fork }: Draft): Promise<string> {
  const id = crypto.randomUUID();
  const config = withoutUnused(shown);
  const record = fork
    ? await lab.call('forkRun', [{ from: fork.id, step: fork.step, name, config, id }])
    : await lab.call('createRun', [{ name, config, id }]);
  putRecord(record);
  lab.call('releaseState', []).catch((error: Error) => notify('bad', error.message));
  await lab.call('train', [id]);
  return id;
}

/**
 * Takes over a run from the files of its folder, and gives its id.
 *
 * @throws an error that says what is missing in it
 */
export async function importRun(
  name: string,
  files: readonly File[],
  paths: readonly string[],
): Promise<string> {
  const id = crypto.randomUUID();
  const byPath = new Map(paths.map((path, i) => [path, files[i]!]));
  putRecord(await lab.call('importRun', [{ id, name, files: byPath }]));
  return id;
}

/**
 * Takes over the trials of a sweep, and gives the id of the last, if it has any.
 *
 * @throws an error that says what cannot be read
 */
export async function importSweep(name: string, json: unknown): Promise<string | undefined> {
  const records = await lab.call('importSweep', [name, json]);
  for (const record of records) putRecord(record);
  return records.at(-1)?.id;
}

/** A name that no run has yet. */
export function nameFor(title: string, runs: readonly { name: string }[]): string {
  const taken = new Set(runs.map(({ name }) => name));
  for (let number = 1; ; number++) {
    const name = number === 1 ? title : `${title} ${number}`;
    if (!taken.has(name)) return name;
  }
}
