import { type BackendName, DeviceLostError, InputError, type Network } from '@headwise/core';
import { DataError } from '@headwise/data';
import { FileError } from '@headwise/files';
import { DeviceLosses, type Session } from '@headwise/runs';
import type { RunFolder } from '@headwise/runs/node';
import { DivergedError, type ExampleBatch } from '@headwise/training';
import { start } from '../backend.js';
import { type Output, progress } from '../output.js';
import { interrupted, interruptible } from '../signals.js';
import { Speed } from './speed.js';

/** A run that is trained to its end. */
export interface RunToTrain<N extends Network, B extends ExampleBatch> {
  /** Opens its session, again after a loss of the GPU device. */
  open(): Promise<Session<N, B>>;
  steps: number;
  folder: RunFolder<N>;
  backend: BackendName;
}

/** What ends a run that has begun, and leaves its last checkpoint as it is: the model diverges, a file fails, a batch cannot be used. */
const leavesCheckpoint = [DivergedError, FileError, DataError, InputError];

/**
 * Trains to the last step; where the GPU device is lost, from the last checkpoint on a new one.
 *
 * @returns the session, to be disposed; undefined where the run was stopped, which is told
 */
export async function trainToEnd<N extends Network, B extends ExampleBatch>(
  out: Output,
  run: RunToTrain<N, B>,
): Promise<Session<N, B> | undefined> {
  const losses = new DeviceLosses();
  for (;;) {
    const session = await run.open();
    const from = session.step;
    try {
      if (!(await runSession(out, run, session))) return session;
      out.emit({ event: 'stopped', step: session.step });
      out.note(`headwise: stopped at step ${session.step}; --resume goes on from there`);
      process.exitCode = interrupted;
      session.dispose();
      return undefined;
    } catch (error) {
      const isBegun = session.step <= run.steps;
      session.dispose();
      if (isBegun && leavesCheckpoint.some((kind) => error instanceof kind)) {
        out.note(keptNote(run.folder));
      }
      if (!(error instanceof DeviceLostError) || !losses.survives(from)) throw error;
      out.note(`headwise: ${error.loss}; going on from the last checkpoint on a new device`);
      await start(out, run.backend);
    }
  }
}

/** @returns whether it was stopped before its end */
async function runSession<N extends Network, B extends ExampleBatch>(
  out: Output,
  { steps, folder }: RunToTrain<N, B>,
  session: Session<N, B>,
): Promise<boolean> {
  if (session.step > steps) {
    throw new InputError(
      `${folder.path}: the run there is at step ${session.step}; 'training.steps' is ${steps}`,
    );
  }
  const trained = (session.adapter ?? session.model).params.count();
  if (session.step === steps) out.say(`run        complete at step ${session.step} of ${steps}`);
  else if (session.step > 0) out.say(`run        resumes at step ${session.step} of ${steps}`);
  else out.say(`run        ${trained} parameters, ${steps} steps`);
  return interruptible(async (stop) => {
    await session.begin({ stop });
    if (stop.aborted) return true;
    if (session.step < steps) await trainSteps(out, session, steps, stop);
    else await completeRun(out, folder, session, stop);
    return stop.aborted;
  });
}

async function trainSteps<N extends Network, B extends ExampleBatch>(
  out: Output,
  session: Session<N, B>,
  steps: number,
  stop: AbortSignal,
): Promise<void> {
  const bar = progress(out, steps, session.step);
  const speed = new Speed();
  try {
    for (let made = await session.advance({ stop }); made; ) {
      out.emit({ event: 'step', ...made });
      bar.update(session.step, speed.describe(made, steps));
      if (stop.aborted) return;
      made = await session.advance({ stop });
    }
  } finally {
    bar.stop();
  }
}

/** Completes a run that has reached its last step: restores a missing or damaged model, and adds the final validation. */
async function completeRun<N extends Network, B extends ExampleBatch>(
  out: Output,
  folder: RunFolder<N>,
  session: Session<N, B>,
  stop: AbortSignal,
): Promise<void> {
  const { validated } = session;
  if (!validated) await session.validate({ stop });
  const whole = await folder.hasModel();
  const result = session.adapter ? 'adapter' : 'model';
  if (!whole)
    out.note(`headwise: ${folder.path}: the ${result} is missing or damaged; it is written anew`);
  if (!whole) await session.asResult(() => folder.saveBeside(session));
  else if (!validated && !stop.aborted) await folder.saveBeside();
}

function keptNote({ path, saved }: { path: string; saved: boolean }): string {
  return saved
    ? `headwise: ${path}: the last checkpoint is kept`
    : `headwise: ${path}: there is no checkpoint yet`;
}
