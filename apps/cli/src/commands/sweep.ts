import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '@headwise/core';
import { isMissing, writeFile } from '@headwise/files';
import { parseJson } from '@headwise/models/internal';
import {
  checkRunFits,
  measuresOf,
  overlap,
  parseAxes,
  parseSweepFile,
  type SweepFile,
  type SweepTrial,
  settingsText,
  sweepTrials,
} from '@headwise/runs';
import { readCorpus, readRunJson } from '@headwise/runs/node';
import { Command } from 'commander';
import { backendOption } from '../backend.js';
import { integer } from '../numbers.js';
import { duration, type Output, output, progress } from '../output.js';
import { clusterOf, type RayFlags, rayHelp, withRayFlags } from '../ray/flags.js';
import { Inputs } from '../ray/packing.js';
import { interrupted, interruptible } from '../signals.js';
import { localTrials } from '../sweep/local-trials.js';
import { sweepPage } from '../sweep/page.js';
import { rayTrials } from '../sweep/ray-trials.js';
import { runSweep, sweepFileName, trialFolder } from '../sweep/run-sweep.js';
import { tableText } from '../sweep/table.js';

interface SweepOptions extends RayFlags {
  config: string;
  grid: string[];
  set?: string[];
  random?: number;
  seed?: number;
  workers: number;
  out: string;
  resume?: boolean;
  backend?: string;
  json?: boolean;
}

const pageName = 'report.html';

/** `headwise sweep`: trains a run for each point of a grid, or for random ones, and compares them. */
export function sweepCommand(): Command {
  const command = new Command('sweep')
    .requiredOption(
      '--config <file>',
      'the run that every trial changes, as headwise train takes it',
    )
    .requiredOption(
      '--grid <path=values>',
      'values of a key, model.layers=2,4, or a range to draw from, path=1e-4..1e-2:log; repeatable',
      collect,
    )
    .requiredOption('--out <dir>', 'the folder for trials/*, sweep.json and report.html')
    .option(
      '--set <path=value>',
      'change a value of the configuration for all; repeatable',
      collect,
    )
    .option('--random <n>', 'train n random points instead of the whole grid', integer)
    .option('--seed <n>', 'of the random points, default 0', integer)
    .option('--workers <n>', 'trials at a time, each in a process of its own', integer, 1)
    .option('--resume', 'go on with the sweep in the folder; trials that failed are tried again')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON lines: trial, done');
  return withRayFlags(command.option('--ray <url>', rayHelp)).action(
    async (options: SweepOptions) => {
      const out = output(options.json ?? false);
      const plan = await planOf(options);
      await checkFolder(options, plan);
      const begun = performance.now();
      const file = await showSweep(out, options, plan);
      await writeFile(join(options.out, pageName), sweepPage(file, options.config));
      tell(out, options.out, file, (performance.now() - begun) / 1000);
    },
  );
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

interface Plan {
  search: SweepFile['search'];
  trials: readonly SweepTrial[];
}

/** Everything that can be refused is refused here, before anything is written. */
async function planOf(options: SweepOptions): Promise<Plan> {
  const { config, grid, set = [], random: count, seed, workers, out, backend } = options;
  backendOption(backend);
  if (out === '') throw new InputError("--out is ''; expected the name of a folder");
  if (workers < 1) throw new InputError(`--workers is ${workers}; expected 1 or more`);
  if (seed !== undefined && count === undefined) {
    throw new InputError(`--seed is ${seed}, and only a random search has one; give --random`);
  }
  const axes = parseAxes(grid);
  for (const override of set) {
    const path = override.split('=')[0]!;
    const axis = axes.find((axis) => overlap(axis.path, path));
    if (axis) throw new InputError(`--set ${path} and --grid ${axis.path} change the same value`);
  }
  const random = count === undefined ? {} : { random: { count, seed: seed ?? 0 } };
  const json = await readRunJson(config, set);
  const trials = sweepTrials(json, { axes, ...random }, config);
  for (const trial of trials) checkTrial(trial);
  if (options.ray !== undefined) {
    const inputs = new Inputs(options.shared);
    for (const { config: run } of trials) inputs.expectSharedShards(run.data, config);
  }
  const corpora = trials.flatMap(({ config: { data } }) => ('corpus' in data ? data.corpus : []));
  for (const corpus of new Set(corpora)) await readCorpus(corpus, config);
  return { search: { grid, ...random }, trials };
}

function checkTrial({ config, settings }: SweepTrial): void {
  try {
    checkRunFits(config);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`the trial with ${settingsText(settings)}: ${error.message}`, {
      cause: error,
    });
  }
}

/** Throws where the folder holds another sweep, or this one and `--resume` is not given. */
async function checkFolder({ out, resume = false }: SweepOptions, { trials }: Plan): Promise<void> {
  const path = join(out, sweepFileName);
  const bytes = await readFile(path).catch((error) => {
    if (isMissing(error)) return undefined;
    throw new InputError(`${path}: cannot be read: ${(error as Error).message}`, { cause: error });
  });
  if (!bytes) {
    const names = (await readdir(out).catch(() => [])).filter((name) => name !== '.lock');
    const isEmpty =
      names.every((name) => name === 'trials') &&
      (await readdir(join(out, 'trials')).catch(() => [])).length === 0;
    if (isEmpty) return;
    throw new InputError(`${out}: is not empty and holds no sweep; give another folder`);
  }
  const there = parseSweepFile(parseJson(bytes, path), path);
  if (!resume) {
    throw new InputError(
      `${out}: holds a sweep already; give --resume to go on with it, or another folder`,
    );
  }
  const runs = (all: readonly { name: string; config: unknown }[]) =>
    JSON.parse(JSON.stringify(all.map(({ name, config }) => ({ name, config })))) as unknown[];
  const [before, now] = [runs(there.trials), runs(trials)];
  if (isDeepStrictEqual(before, now)) return;
  throw new InputError(
    `${out}: the sweep there has other trials (${before.length}, --grid ${there.search.grid.join(' --grid ')}); give its configuration and grid, or another folder`,
  );
}

async function showSweep(out: Output, options: SweepOptions, plan: Plan): Promise<SweepFile> {
  const { config, set = [], backend, out: folder, workers } = options;
  const { trials } = plan;
  out.say(`sweep      ${trials.length} trials, ${Math.min(workers, trials.length)} at a time`);
  const total = trials.reduce((sum, trial) => sum + trial.config.training.steps, 0);
  const made = new Map<string, number>();
  const bar = progress(out, total, 0);
  let ended = 0;
  const show = () => {
    const steps = [...made.values()].reduce((sum, count) => sum + count, 0);
    bar.update(steps, `${ended} of ${trials.length} trials ended`);
  };
  const args = backend === undefined ? [] : ['--backend', backend];
  const sets = set.flatMap((override) => ['--set', override]);
  const cluster = await clusterOf(options);
  const runner = cluster
    ? rayTrials({ ...cluster, config, args })
    : localTrials(['--config', config, ...sets, ...args]);
  return interruptible((stop) =>
    runSweep({
      ...plan,
      ...{ folder, runner, workers, stop },
      onStep({ name }, steps) {
        made.set(name, steps);
        show();
      },
      note: (line) => out.note(`headwise: ${line}`),
      onEnd({ name, settings, status, problem, history }) {
        ended++;
        show();
        const folder = trialFolder(options.out, name);
        out.emit({
          event: 'trial',
          name,
          settings,
          status,
          problem,
          folder,
          ...measuresOf(history),
        });
      },
    }).finally(() => bar.stop()),
  );
}

function tell(out: Output, folder: string, file: SweepFile, seconds: number): void {
  const counts = { done: 0, failed: 0, open: 0 };
  for (const { status } of file.trials) counts[status]++;
  const files = [sweepFileName, pageName].map((name) => join(folder, name));
  out.emit({ event: counts.open > 0 ? 'stopped' : 'done', folder, files, seconds, ...counts });
  for (const line of ['', ...tableText(file)]) out.say(line);
  if (counts.open > 0) {
    out.note(`headwise: stopped with ${counts.open} trials to go; --resume goes on from there`);
    process.exitCode = interrupted;
    return;
  }
  out.say(`\n${counts.done} of ${file.trials.length} trials done in ${duration(seconds)}`);
  out.say(`${files[1]}: the table and the curves; ${files[0]}: opened in the lab, the same`);
  if (counts.failed > 0) process.exitCode = 1;
}
