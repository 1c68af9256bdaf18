import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { lockFile } from '@headwise/files';
import { interrupted } from '../signals.js';
import type { TrialEnd, TrialRunner } from './trial-runner.js';

const program = fileURLToPath(new URL('../main.js', import.meta.url));

/** Milliseconds that a process of a sweep that was killed may take to notice it. */
const orphanPatience = 60_000;

/**
 * Runs each trial as `headwise train` in a process of its own.
 *
 * @param args what each is given besides the trial's folder and settings: the configuration, and the backend
 */
export function localTrials(args: readonly string[]): TrialRunner {
  return async ({ trial, folder, onStep, stop }) => {
    await forgetOrphan(folder);
    if (stop.aborted) return { kind: 'stopped' };
    const sets = Object.entries(trial.settings).map(
      ([path, value]) => `${path}=${JSON.stringify(value)}`,
    );
    const child = spawn(
      process.execPath,
      [
        ...[program, 'train', '--out', folder, '--resume', '--json', ...args],
        ...sets.flatMap((set) => ['--set', set]),
      ],
      // A group of its own: Ctrl-C of the terminal reaches this process alone, which passes it on once.
      { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    );
    const onStop = () => child.kill('SIGTERM');
    stop.addEventListener('abort', onStop);
    try {
      return await endOf(child, onStep);
    } finally {
      stop.removeEventListener('abort', onStop);
    }
  };
}

async function endOf(
  child: ChildProcessByStdio<null, Readable, Readable>,
  onStep: (steps: number) => void,
): Promise<TrialEnd> {
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told = (told + text).slice(-mostTold);
  });
  createInterface(child.stdout).on('line', (line) => {
    const steps = stepsOf(line);
    if (steps !== undefined) onStep(steps);
  });
  const [code, signal] = await ended;
  if (code === 0) return { kind: 'done' };
  if (code === interrupted) return { kind: 'stopped' };
  if (code === 1 || code === 2) return { kind: 'failed', problem: problemOf(told) };
  return { kind: 'lost', how: signal === null ? `exit code ${code}` : `${signal}` };
}

const mostTold = 8_000;

/** The steps that are made after a line of `headwise train --json`; undefined for another line. */
export function stepsOf(line: string): number | undefined {
  try {
    const { event, step } = JSON.parse(line) as { event?: unknown; step?: unknown };
    return event === 'step' && typeof step === 'number' ? step + 1 : undefined;
  } catch {
    return undefined;
  }
}

/** What a command said last on standard error, without the program's name. */
export function problemOf(told: string): string {
  const start = told.lastIndexOf('headwise: ');
  return (start < 0 ? told : told.slice(start + 'headwise: '.length)).trim();
}

/** Waits for the process of a sweep that was killed: it ends when it has something to say and nobody reads it. */
async function forgetOrphan(folder: string): Promise<void> {
  const lock = join(folder, 'trainer', 'lock');
  if (!existsSync(dirname(lock))) return;
  await (await lockFile(lock, { patience: orphanPatience })).release();
}
