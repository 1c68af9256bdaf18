import { join } from 'node:path';
import { FileError, lockFile, makeFolder, writeFile } from '@headwise/files';
import {
  DeviceLosses,
  type HistoryEntry,
  measuresOf,
  type SweepFile,
  type SweepTrial,
  type TrialResult,
  thinned,
} from '@headwise/runs';
import { readRunHistory } from '@headwise/runs/node';
import type { TrialRunner } from './trial-runner.js';

/** The file of a sweep in its folder. */
export const sweepFileName = 'sweep.json';

/** A sweep and how it runs. */
export interface SweepRun {
  search: SweepFile['search'];
  trials: readonly SweepTrial[];
  folder: string;
  runner: TrialRunner;
  /** Trials that run at a time. */
  workers: number;
  stop: AbortSignal;
  /** Called with the steps that a trial has made. */
  onStep(trial: SweepTrial, steps: number): void;
  /** Called with a line about a trial that was lost and goes on. */
  note(line: string): void;
  /** Called with a trial that has ended. */
  onEnd(result: TrialResult): void;
}

/**
 * Runs the trials of a sweep that have not ended, and keeps what they came to in `sweep.json`.
 *
 * A trial's result depends on its configuration alone, so that the number of workers and kills in between change nothing.
 *
 * @throws FileError where the folder cannot be written, LockedError where another process runs a sweep in it
 */
export async function runSweep(run: SweepRun): Promise<SweepFile> {
  const { folder, trials, stop } = run;
  await makeFolder(join(folder, 'trials'));
  const lock = await lockFile(join(folder, '.lock'));
  try {
    const results: TrialResult[] = await Promise.all(
      trials.map(async ({ name, settings, config }) => ({
        ...{ name, settings, config },
        ...(await resultOf(trialFolder(folder, name), config.training.steps)),
      })),
    );
    const file = { headwise: 'sweep', search: run.search, trials: results } as const;
    let written = Promise.resolve();
    const write = () => {
      written = written.then(() => writeSweepFile(folder, file));
      return written;
    };
    await write();
    const open = [...trials.keys()].filter((i) => results[i]!.status !== 'done').values();
    // Where one cannot go on, as without its cluster or on a full disk, the others are stopped.
    const broken = new AbortController();
    const signal = AbortSignal.any([stop, broken.signal]);
    const work = async () => {
      for (const i of open) {
        if (signal.aborted) return;
        const trial = trials[i]!;
        const end = await toItsEnd({ ...run, stop: signal }, trial);
        results[i] = await endedTrial(folder, trial, end.problem);
        await write();
        if (results[i].status !== 'open') run.onEnd(results[i]);
      }
    };
    const workers = Array.from({ length: Math.min(run.workers, trials.length) }, () =>
      work().catch((error) => {
        broken.abort();
        throw error;
      }),
    );
    for (const ended of await Promise.allSettled(workers)) {
      if (ended.status === 'rejected') throw ended.reason;
    }
    return file;
  } finally {
    await lock.release();
  }
}

async function endedTrial(
  folder: string,
  { name, settings, config }: SweepTrial,
  problem: string | undefined,
): Promise<TrialResult> {
  const { history, status } = await resultOf(trialFolder(folder, name), config.training.steps);
  const found = { name, settings, config, history };
  return problem === undefined ? { ...found, status } : { ...found, status: 'failed', problem };
}

export const trialFolder = (folder: string, name: string): string => join(folder, 'trials', name);

/** Trains a trial to its end, after a loss from its last checkpoint. */
async function toItsEnd(run: SweepRun, trial: SweepTrial): Promise<{ problem?: string }> {
  const folder = trialFolder(run.folder, trial.name);
  const losses = new DeviceLosses();
  for (;;) {
    const onStep = (steps: number) => run.onStep(trial, steps);
    const end = await run.runner({ trial, folder, onStep, stop: run.stop });
    if (end.kind === 'failed') return { problem: end.problem };
    if (end.kind !== 'lost' || run.stop.aborted) return {};
    const { steps } = measuresOf(await readRunHistory(folder));
    if (!losses.survives(steps)) {
      return { problem: `lost again and again after step ${steps}, at last by ${end.how}` };
    }
    run.note(`trial ${trial.name}: lost (${end.how}); going on from step ${steps}`);
  }
}

/** What the folder of a trial says of it. */
async function resultOf(
  folder: string,
  steps: number,
): Promise<{ status: 'done' | 'open'; history: HistoryEntry[] }> {
  const history = await readRunHistory(folder).catch((error) => {
    // `headwise train --resume` says what is wrong with it, and what it can do about it.
    if (error instanceof FileError) return [];
    throw error;
  });
  const made = measuresOf(history);
  const isDone =
    made.steps === steps && history.some((entry) => 'validation' in entry && entry.step === steps);
  return { status: isDone ? 'done' : 'open', history: thinned(history) };
}

const writeSweepFile = (folder: string, file: SweepFile): Promise<void> =>
  writeFile(join(folder, sweepFileName), `${JSON.stringify(file)}\n`);
