import { parseSweepFile, type TrialResult } from '@headwise/runs';
import { configOfRunFile } from '../model/run-file.js';
import { saveProgress } from '../store/database.js';
import {
  addEntry,
  noNews,
  type RunNews,
  type RunRecord,
  type RunStatus,
} from '../store/records.js';

/**
 * Takes over the trials of a sweep that `headwise sweep` has written, to compare them: their curves, without checkpoints.
 *
 * @param options `name` begins the names of the runs; `id` makes one for each
 * @throws InputError naming what cannot be read, or is not in the lab's form; nothing is kept then
 */
export async function importSweep(
  json: unknown,
  { name, id }: { name: string; id: () => string },
): Promise<RunRecord[]> {
  const { trials } = parseSweepFile(json, name);
  const made = trials
    .filter(({ history }) => history.length > 0)
    .map((trial) => runOf(trial, { id: id(), name: `${name} ${trial.name}` }));
  for (const { record, news } of made) await saveProgress(record, news);
  return made.map(({ record }) => record);
}

const statuses: Record<TrialResult['status'], RunStatus> = {
  done: 'done',
  failed: 'failed',
  open: 'stopped',
};

/** A trial as a run of the lab, and its curves. */
export function runOf(
  { settings, config, status, problem, history }: TrialResult,
  { id, name }: { id: string; name: string },
): { record: RunRecord; news: RunNews } {
  const words = Object.entries(settings).map(
    ([path, value]) =>
      `${path.split('.').at(-1)} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const record: RunRecord = {
    id,
    name: `${name}: ${words.join(', ')}`,
    config: configOfRunFile(config, name),
    status: statuses[status],
    createdAt: Date.now(),
    step: 0,
    seconds: 0,
    ...(problem === undefined ? {} : { problem }),
  };
  const news = noNews();
  for (const entry of history) addEntry(record, news, entry, Number.NaN);
  return { record, news };
}
