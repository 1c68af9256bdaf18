import type { RunConfig } from '../model/run-config.js';

/** Where a run stands. */
export type RunStatus = 'preparing' | 'running' | 'paused' | 'stopped' | 'done' | 'failed';

/** What is kept of a run besides its history and its checkpoint. */
export interface RunRecord {
  id: string;
  name: string;
  config: RunConfig;
  status: RunStatus;
  createdAt: number;
  /** Steps made. */
  step: number;
  /** Seconds of training. */
  seconds: number;
  vocabSize?: number;
  parameters?: number;
  /** The step of the saved state, where there is one. */
  checkpoint?: number;
  /** The run and the step that it goes on from. */
  forkOf?: { id: string; step: number };
  /** Why it failed. */
  problem?: string;
  /** What the visitor should know before going on with it. */
  note?: string;
  loss?: number;
  validationLoss?: number;
}

/** One step of a run's history. */
export interface StepPoint {
  step: number;
  /** Seconds of training at its end. */
  seconds: number;
  loss: number;
  gradientNorm: number;
  learningRate: number;
  tokensPerSecond: number;
  /** Bytes of tensors after the step. */
  memory: number;
}

/** A measurement on what is held back. */
export interface ValidationPoint {
  step: number;
  seconds: number;
  loss: number;
}

/** What a model wrote at a step. */
export interface Sample {
  step: number;
  prompt: string;
  text: string;
  expected?: string;
}

/** What is new of a run. */
export interface RunNews {
  points: StepPoint[];
  validations: ValidationPoint[];
  samples: Sample[];
}

/** Puts what is new of a run after what is known of it. */
export function append(history: RunNews, news: Partial<RunNews>): void {
  for (const point of news.points ?? []) history.points.push(point);
  for (const validation of news.validations ?? []) history.validations.push(validation);
  for (const sample of news.samples ?? []) history.samples.push(sample);
}
