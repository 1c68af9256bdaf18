import { join } from 'node:path';
import { type BackendReport, DeviceLostError, InputError, readTensor } from '@headwise/core';
import {
  checkRunFits,
  DeviceLosses,
  newModel,
  newOptimizer,
  prepareData,
  type RunConfig,
  type RunData,
  Session,
  textHash,
} from '@headwise/runs';
import { RunFolder, readCorpus, readRunFile } from '@headwise/runs/node';
import { tokenizerText } from '@headwise/tokenizers/node';
import { DivergedError, languageModelLoss, lossAndGradients } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { Command } from 'commander';
import { backendOption, start, startFastest } from '../backend.js';
import { commandName, duration, type Output, output, progress } from '../output.js';
import { interrupted, interruptible } from '../signals.js';
import { describeData, reportRun } from '../training/report.js';
import { Speed } from '../training/speed.js';

interface TrainCommandOptions {
  config: string;
  out: string;
  set?: string[];
  resume?: boolean;
  backend?: string;
  json?: boolean;
}

/** `headwise train`: trains a model from a configuration, into a folder that other commands can use. */
export function trainCommand(): Command {
  return new Command('train')
    .requiredOption('--config <file>', 'what to train: model, tokenizer, data, schedule')
    .requiredOption('--out <dir>', 'the folder for model, tokenizer and checkpoints')
    .option('--set <path=value>', 'change a value of the configuration; repeatable', collect)
    .option('--resume', 'go on from the last checkpoint in the folder, if there is one')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON lines: data, backend, step, validation, sample, done')
    .action(async (options: TrainCommandOptions) => {
      const out = output(options.json ?? false);
      const backend = backendOption(options.backend);
      const config = await readRunFile(options.config, options.set);
      // Everything that can be refused is refused before the folder is touched.
      if (options.out === '') throw new InputError("--out is ''; expected the name of a folder");
      checkRunFits(config);
      const corpus = 'corpus' in config.data ? config.data.corpus : undefined;
      const text = corpus === undefined ? undefined : await readCorpus(corpus, options.config);
      const sha256 = text === undefined ? undefined : await textHash(text);
      const folder = await RunFolder.inspect(options.out, config, {
        resume: options.resume,
        warn: (line) => out.note(`headwise: ${line}`),
      });
      if (sha256 !== undefined) await folder.checkCorpus(sha256, corpus!);
      const data = await prepareData(config, { text, tokenizer: await folder.tokenizer() });
      const tokenizer = tokenizerText(data.tokenizer);
      await folder.create(config, { corpus: sha256, tokenizer });
      try {
        describeData(out, data);
        const report = await startFastest(out, backend, () => probe(config, data));
        out.emit({ event: 'backend', ...report });
        out.say(`backend    ${report.backend}${report.adapter ? `, ${report.adapter}` : ''}`);
        await trainAndReport(out, { config, data, folder, report });
      } finally {
        await folder.release();
      }
    });
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** What a training run is made of. */
interface Run {
  config: RunConfig;
  data: RunData;
  folder: RunFolder;
  report: BackendReport;
}

async function trainAndReport(out: Output, run: Run): Promise<void> {
  const begun = performance.now();
  const { session, stopped } = await trainToEnd(out, run);
  if (stopped) {
    out.emit({ event: 'stopped', step: session.step });
    out.note(`headwise: stopped at step ${session.step}; --resume goes on from there`);
    process.exitCode = interrupted;
  } else {
    await reportRun(out, session, run.config, run.folder);
    finish(out, run.folder.path, (performance.now() - begun) / 1000);
  }
  session.dispose();
}

/** Trains to the last step; where the GPU device is lost, from the last checkpoint on a new one. */
async function trainToEnd(out: Output, run: Run): Promise<{ session: Session; stopped: boolean }> {
  const losses = new DeviceLosses();
  for (;;) {
    const session = await Session.open({ ...run, storage: run.folder });
    const from = session.step;
    try {
      return { session, stopped: await runSession(out, run, session) };
    } catch (error) {
      session.dispose();
      if (error instanceof DivergedError) out.note(keptNote(run.folder));
      if (!(error instanceof DeviceLostError) || !losses.survives(from)) throw error;
      out.note(`headwise: ${error.loss}; going on from the last checkpoint on a new device`);
      await start(out, run.report.backend);
    }
  }
}

/** @returns whether it was stopped before its end */
async function runSession(
  out: Output,
  { config, folder }: Run,
  session: Session,
): Promise<boolean> {
  const { steps } = config.training;
  if (session.step > steps) {
    throw new InputError(
      `${folder.path}: the run there is at step ${session.step}; 'training.steps' is ${steps}`,
    );
  }
  if (session.step === steps) out.say(`run        complete at step ${session.step} of ${steps}`);
  else if (session.step > 0) out.say(`run        resumes at step ${session.step} of ${steps}`);
  else out.say(`run        ${session.model.params.count()} parameters, ${steps} steps`);
  return interruptible(async (stop) => {
    await session.begin({ stop });
    if (stop.aborted) return true;
    if (session.step < steps) await trainSteps(out, session, steps, stop);
    else await completeRun(out, folder, session, stop);
    return stop.aborted;
  });
}

async function trainSteps(
  out: Output,
  session: Session,
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
async function completeRun(
  out: Output,
  folder: RunFolder,
  session: Session,
  stop: AbortSignal,
): Promise<void> {
  const { validated } = session;
  if (!validated) await session.validate({ stop });
  const whole = await folder.hasModel();
  if (!whole)
    out.note(`headwise: ${folder.path}: the model is missing or damaged; it is written anew`);
  if (!whole) await folder.saveBeside(session.model);
  else if (!validated && !stop.aborted) await folder.saveBeside();
}

function keptNote({ path, saved }: RunFolder): string {
  return saved
    ? `headwise: ${path}: the last checkpoint is kept`
    : `headwise: ${path}: there is no checkpoint yet`;
}

/** One training step of the run's model, without its update, on the backend in use. */
function probe(
  config: RunConfig,
  data: RunData,
): { run: () => Promise<void>; dispose: () => void } {
  const model = newModel(config, data.tokenizer.vocabSize);
  const optimizer = newOptimizer(model, config);
  const params = model.params.named();
  return {
    run: async () => {
      const batch = data.batches.at(0);
      const { loss, gradients } = lossAndGradients(params, () =>
        languageModelLoss(model.network, batch),
      );
      optimizer.update(gradients, 0);
      // The last parameter's update is the last work in the queue.
      await readTensor(Object.values(params).at(-1)!);
      tf.dispose([loss, gradients]);
    },
    dispose: () => {
      optimizer.dispose();
      model.params.dispose();
    },
  };
}

function finish(out: Output, folder: string, seconds: number): void {
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  out.emit({ event: 'done', folder, seconds, peakBytes });
  out.say(
    `\ndone in ${duration(seconds)}, peak memory ${(peakBytes / 2 ** 20).toFixed(0)} MiB; the model is in ${folder}`,
  );
  out.say('\nnext:');
  out.say(
    `  ${commandName()} generate --model ${folder} --prompt "Call me" --temperature 0.8 --stream`,
  );
  out.say(
    `  ${commandName()} tokenize --tokenizer ${join(folder, 'tokenizer.json')} --text "Call me Ishmael."`,
  );
}
