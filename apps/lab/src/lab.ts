import { useSyncExternalStore } from 'react';
import { append, historyUpTo, noNews, type RunNews, type RunRecord } from './store/records.js';
import { remember, remembered } from './stored.js';
import { capital } from './ui/numbers.js';
import { Client } from './worker/client.js';
import type { EngineReport } from './worker/engine.js';
import type { LabEvent, LabMethods } from './worker/main.js';

/** Everything that the pages show and the worker changes. */
export interface LabState {
  runs: readonly RunRecord[];
  /** Runs that another tab trains. */
  elsewhere: ReadonlySet<string>;
  histories: ReadonlyMap<string, RunNews>;
  /** Counts the changes of each history: arrays grow in place. */
  versions: ReadonlyMap<string, number>;
  engine: EngineReport | undefined;
  /** What the visitor should know of now. */
  notice: { tone: 'bad' | 'warn' | 'good'; text: string } | undefined;
  loaded: boolean;
}

type Preference = 'webgpu' | 'wasm' | 'cpu';
const preferenceKey = 'headwise-backend';

let state: LabState = {
  runs: [],
  elsewhere: new Set(),
  histories: new Map(),
  versions: new Map(),
  engine: undefined,
  notice: undefined,
  loaded: false,
};
const listeners = new Set<() => void>();

function set(change: Partial<LabState>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

/** The state of the lab, kept up to date. */
export function useLab(): LabState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

const worker = new Worker(new URL('./worker/main.ts', import.meta.url), { type: 'module' });
/** The worker that trains and runs models. */
export const lab: Client<LabMethods, LabEvent> = new Client(worker, onEvent);

/** The backend that the visitor prefers; undefined for the best. */
export function preferredBackend(): Preference | undefined {
  const stored = remembered(preferenceKey);
  return stored === 'webgpu' || stored === 'wasm' || stored === 'cpu' ? stored : undefined;
}

/** Starts the worker and reads what is stored. */
export async function startLab(): Promise<void> {
  try {
    await Promise.all([readRuns(), lab.call('start', [document.baseURI, preferredBackend()])]);
    set({ loaded: true });
  } catch (error) {
    set({ loaded: true });
    notify('bad', (error as Error).message);
  }
}

/** Reads the records of all runs, and waits for those that another tab trains to come free. */
async function readRuns(): Promise<void> {
  const { runs, elsewhere } = await lab.call('runs', []);
  set({ runs, elsewhere: new Set(elsewhere) });
  for (const id of elsewhere) void readWhenFree(id);
}

/** Runs whose end in another tab is waited for. */
const awaited = new Set<string>();

async function readWhenFree(id: string): Promise<void> {
  if (awaited.has(id)) return;
  awaited.add(id);
  await lab.call('untilFree', [id]);
  awaited.delete(id);
  // A tab that was closed says nothing: its runs are read anew.
  if (state.elsewhere.has(id)) await readRuns();
}

/** Starts another backend; runs that train are to be paused first. */
export async function chooseBackend(prefer: Preference | undefined): Promise<void> {
  await lab.call('start', [document.baseURI, prefer]);
  remember(preferenceKey, prefer);
}

/** Says something to the visitor, on every page. */
export function notify(tone: 'bad' | 'warn' | 'good', text: string): void {
  set({ notice: { tone, text } });
}

export function dismissNotice(): void {
  set({ notice: undefined });
}

/** Puts a record in the place of its older self, or in front of all. */
export function putRecord(record: RunRecord): void {
  const known = state.runs.some(({ id }) => id === record.id);
  set({
    runs: known
      ? state.runs.map((run) => (run.id === record.id ? record : run))
      : [record, ...state.runs],
  });
}

export async function forgetRun(id: string): Promise<void> {
  await lab.call('removeRun', [id]);
  const histories = new Map(state.histories);
  histories.delete(id);
  set({ histories });
  onEvent({ kind: 'removed', run: id });
}

/** Reads the history of a run that was not looked at yet. */
export async function loadHistory(id: string): Promise<void> {
  if (state.histories.has(id)) return;
  const history = await readHistory(id);
  // What came while it was read is in it already.
  setHistory(id, history);
}

/** Everything that a run has made. */
export async function readHistory(id: string): Promise<RunNews> {
  const history = noNews();
  await lab.call('history', [id], {
    onProgress: (part: Partial<RunNews>) => append(history, part),
  });
  return history;
}

function setHistory(id: string, history: RunNews): void {
  set({
    histories: new Map(state.histories).set(id, history),
    versions: new Map(state.versions).set(id, (state.versions.get(id) ?? 0) + 1),
  });
}

/** What the other tabs of the lab train, as they tell it. */
const tabs = new BroadcastChannel('headwise-runs');
tabs.addEventListener('message', ({ data }: MessageEvent<LabEvent>) => {
  apply(data);
  if (data.kind !== 'run') return;
  const { id, status } = data.record;
  const known = state.elsewhere.has(id);
  if (status === 'running' && !known) void readWhenFree(id);
  if ((status === 'running') === known) return;
  const elsewhere = new Set(state.elsewhere);
  if (status === 'running') elsewhere.add(id);
  else elsewhere.delete(id);
  set({ elsewhere });
});

function onEvent(event: LabEvent): void {
  if (event.kind === 'run' || event.kind === 'cut' || event.kind === 'removed') {
    tabs.postMessage(event);
  }
  apply(event);
}

function apply(event: LabEvent): void {
  if (event.kind === 'removed') {
    set({ runs: state.runs.filter(({ id }) => id !== event.run) });
    return;
  }
  if (event.kind === 'engine') {
    set({ engine: event.report });
    return;
  }
  if (event.kind === 'device-lost') {
    notify(
      'warn',
      `${capital(event.message)}. Runs go on by themselves from their last saved state.`,
    );
    return;
  }
  if (event.kind === 'device-back') {
    notify(
      'good',
      'The GPU device was lost and is back: runs went on from their last saved state.',
    );
    return;
  }
  if (event.kind === 'cut') {
    const history = state.histories.get(event.run);
    if (!history) return;
    setHistory(event.run, historyUpTo(history, event.step));
    return;
  }
  const { record, news } = event;
  const history = state.histories.get(record.id);
  if (history) {
    for (const point of news.points) history.points.push(point);
    for (const point of news.validations) addOnce(history.validations, point);
    for (const sample of news.samples) history.samples.push(sample);
    setHistory(record.id, history);
  } else if (record.step <= news.points.length + 1) {
    setHistory(record.id, news);
  }
  putRecord(record);
}

/** A measurement of a step may come again after a resume. */
function addOnce<T extends { step: number }>(list: T[], entry: T): void {
  if (list.at(-1)?.step !== entry.step) list.push(entry);
}
