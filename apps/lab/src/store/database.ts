import type { Choices } from '@headwise/kernels';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import {
  append,
  historyUpTo,
  noNews,
  type RunNews,
  type RunRecord,
  type Sample,
  type StepPoint,
  type ValidationPoint,
} from './records.js';

type OfRun<T> = T & { run: string };

interface LabSchema extends DBSchema {
  runs: { key: string; value: RunRecord };
  points: { key: [string, number]; value: OfRun<StepPoint> };
  validations: { key: [string, number]; value: OfRun<ValidationPoint> };
  samples: { key: [string, number, string, number]; value: OfRun<Sample> };
  texts: { key: string; value: { name: string; text: string } };
  tilings: { key: string; value: { adapter: string; choices: Choices } };
}

const histories = ['points', 'validations', 'samples'] as const;
let opened: Promise<IDBPDatabase<LabSchema>> | undefined;

function database(): Promise<IDBPDatabase<LabSchema>> {
  opened ??= openDB<LabSchema>('headwise-lab', 2, {
    async upgrade(db, version, _, transaction) {
      if (version === 0) {
        db.createObjectStore('runs', { keyPath: 'id' });
        db.createObjectStore('points', { keyPath: ['run', 'step'] });
        db.createObjectStore('validations', { keyPath: ['run', 'step'] });
        db.createObjectStore('texts', { keyPath: 'name' });
      }
      // Version 1 had samples of one temperature, which they did not name.
      const older = version === 0 ? [] : await transaction.objectStore('samples').getAll();
      if (version > 0) db.deleteObjectStore('samples');
      db.createObjectStore('tilings', { keyPath: 'adapter' });
      const keyPath = ['run', 'step', 'prompt', 'temperature'];
      const samples = db.createObjectStore('samples', { keyPath });
      for (const sample of older) {
        await samples.put({ ...sample, temperature: sample.expected === undefined ? 0.8 : 0 });
      }
    },
    // A newer lab in another tab waits for this one to let go.
    blocking: (_, __, event) => (event.target as IDBDatabase).close(),
  });
  return opened;
}

/** Every run, the newest first. */
export async function allRuns(): Promise<RunRecord[]> {
  const runs = await (await database()).getAll('runs');
  return runs.sort((a, b) => b.createdAt - a.createdAt);
}

export async function getRun(id: string): Promise<RunRecord | undefined> {
  return (await database()).get('runs', id);
}

export async function putRun(record: RunRecord): Promise<void> {
  await (await database()).put('runs', record);
}

const ofRun = (id: string, from = Number.NEGATIVE_INFINITY) =>
  IDBKeyRange.bound([id, from], [id, Number.POSITIVE_INFINITY, []]);

/** Entries of a history that are read, and sent to the page, at once. */
const entriesAtOnce = 2000;

/** Everything that a run has made, in order, part by part. */
export async function* historyParts(id: string): AsyncGenerator<Partial<RunNews>> {
  const db = await database();
  for (const name of histories) {
    for (let range = ofRun(id); ; ) {
      const part = await db.getAll(name, range, entriesAtOnce);
      if (part.length > 0) yield { [name]: part };
      if (part.length < entriesAtOnce) break;
      const { run, step, ...rest } = part.at(-1)!;
      const last = 'prompt' in rest ? [run, step, rest.prompt, rest.temperature] : [run, step];
      range = IDBKeyRange.bound(last, range.upper, true);
    }
  }
}

/** Everything that a run has made, in order. */
export async function historyOf(id: string): Promise<RunNews> {
  const history = noNews();
  for await (const part of historyParts(id)) append(history, part);
  return history;
}

/** Writes a run's record and what is new of its history: all of it or nothing. */
export async function saveProgress(record: RunRecord, news: RunNews): Promise<void> {
  const transaction = (await database()).transaction(['runs', ...histories], 'readwrite');
  const run = record.id;
  await Promise.all([
    transaction.objectStore('runs').put(record),
    ...histories.flatMap((name) =>
      news[name].map((entry) => transaction.objectStore(name).put({ ...entry, run } as never)),
    ),
    transaction.done,
  ]);
}

/**
 * Takes a run back to a step: what it made from there on is forgotten, as it is going to be made again.
 *
 * @returns its record as it was then
 */
export async function rewind(record: RunRecord, step: number): Promise<RunRecord> {
  const transaction = (await database()).transaction(histories, 'readwrite');
  const run = record.id;
  await Promise.all([
    transaction.objectStore('points').delete(ofRun(run, step)),
    transaction.objectStore('validations').delete(ofRun(run, step + 1)),
    transaction.objectStore('samples').delete(ofRun(run, step + 1)),
    transaction.done,
  ]);
  return recordAt(record, step, await historyOf(run));
}

/** Whether the validation part was measured after so many steps. */
export async function isValidated(run: string, step: number): Promise<boolean> {
  return (await (await database()).getKey('validations', [run, step])) !== undefined;
}

/** A record with the figures that its history had after a step. */
function recordAt(record: RunRecord, step: number, history: RunNews): RunRecord {
  const point = history.points.findLast((one) => one.step < step);
  const measured = history.validations.findLast((one) => one.step <= step);
  const { loss: _, validationLoss: __, ...rest } = record;
  return {
    ...rest,
    step,
    seconds: point?.seconds ?? 0,
    ...(point ? { loss: point.loss } : {}),
    ...(measured ? { validationLoss: measured.loss } : {}),
  };
}

/**
 * Copies a run's history up to a step, for a run that goes on from there.
 *
 * @returns the new run's record, as it was at that step
 */
export async function copyHistory(from: string, to: RunRecord, step: number): Promise<RunRecord> {
  const history = historyUpTo(await historyOf(from), step);
  const record = recordAt(to, step, history);
  await saveProgress(record, history);
  return record;
}

export async function removeRun(id: string): Promise<void> {
  const transaction = (await database()).transaction(['runs', ...histories], 'readwrite');
  await Promise.all([
    transaction.objectStore('runs').delete(id),
    ...histories.map((name) => transaction.objectStore(name).delete(ofRun(id))),
    transaction.done,
  ]);
}

export async function putText(name: string, text: string): Promise<void> {
  await (await database()).put('texts', { name, text });
}

export async function getText(name: string): Promise<string | undefined> {
  return (await (await database()).get('texts', name))?.text;
}

export async function textNames(): Promise<string[]> {
  return (await database()).getAllKeys('texts');
}

/** The tilings of attention that were chosen on an adapter before. */
export async function tilingsOn(adapter: string): Promise<Choices | undefined> {
  return (await (await database()).get('tilings', adapter))?.choices;
}

export async function putTilings(adapter: string, choices: Choices): Promise<void> {
  await (await database()).put('tilings', { adapter, choices });
}
