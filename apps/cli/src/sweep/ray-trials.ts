import { jsonText } from '@headwise/models/node';
import { readCorpus } from '@headwise/runs/node';
import type { RayClient } from '../ray/client.js';
import { filesAt, filesOf, type PackageFiles } from '../ray/package.js';
import { runJob } from '../ray/run-job.js';
import { packageVersions, seedPlace } from '../ray/spec.js';
import { interrupted } from '../signals.js';
import { problemOf, stepsOf } from './local-trials.js';
import type { TrialRunner } from './trial-runner.js';

/** Where and how the trials of a sweep run on a cluster. */
export interface RayTrials {
  client: RayClient;
  program: string;
  cpus: number;
  gpus?: number | undefined;
  /** The run's file, from whose folder packages with texts are found. */
  config: string;
  /** What `headwise train` is given besides the trial's configuration. */
  args: readonly string[];
}

/** Runs each trial as a job of Ray; its checkpoints come back as they are made, and another attempt begins with the last. */
export function rayTrials(options: RayTrials): TrialRunner {
  const texts = new Map<string, Promise<Uint8Array>>();
  const textOf = (corpus: string) => {
    const text = texts.get(corpus) ?? readCorpus(corpus, options.config).then(encoded);
    texts.set(corpus, text);
    return text;
  };
  return async ({ trial, folder, onStep, stop }) => {
    if (stop.aborted) return { kind: 'stopped' };
    const { data } = trial.config;
    const files: PackageFiles = {
      'run.json': encoded(jsonText(trial.config)),
      ...filesAt(seedPlace, await filesOf(folder).catch(() => ({}))),
      ...('corpus' in data ? { 'corpus.txt': await textOf(data.corpus) } : {}),
    };
    const args = [
      ...['train', '--config', 'run.json', '--resume', '--json', ...options.args],
      ...('corpus' in data ? ['--corpus', 'corpus.txt'] : []),
    ];
    let told = '';
    const tell = (line: string) => {
      told = `${told}${line}\n`.slice(-8_000);
    };
    const { code, how } = await runJob({
      ...options,
      ...{ files, folder, name: folder, stop },
      spec: {
        ...{ versions: packageVersions(), node: process.version, args },
        out: { whole: true },
      },
      onLine(line) {
        const steps = stepsOf(line);
        if (steps !== undefined) onStep(steps);
        else tell(line);
      },
      onNote: tell,
    });
    if (code === 0) return { kind: 'done' };
    if (stop.aborted || code === interrupted) return { kind: 'stopped' };
    if (code === 1 || code === 2) return { kind: 'failed', problem: problemOf(told) };
    return { kind: 'lost', how };
  };
}

const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);
