import type { SweepTrial } from '@headwise/runs';

/** How an attempt at a trial ended. */
export type TrialEnd =
  | { kind: 'done' }
  /** The run ended with an error of its own, which another attempt would make again. */
  | { kind: 'failed'; problem: string }
  /** What it ran on is gone; another attempt goes on from the last checkpoint in the folder. */
  | { kind: 'lost'; how: string }
  | { kind: 'stopped' };

/** An attempt at a trial. */
export interface Attempt {
  trial: SweepTrial;
  /** The trial's folder, with what attempts before it have left there. */
  folder: string;
  /** Called with the number of steps made. */
  onStep(steps: number): void;
  /** Asks for an early end, after which the folder has what was done. */
  stop: AbortSignal;
}

/** Trains a trial's run into its folder, or goes on with it: in a process of this machine, or on a cluster. */
export type TrialRunner = (attempt: Attempt) => Promise<TrialEnd>;
