import { join } from 'node:path';
import { type BackendReport, DeviceLostError, InputError, readTensor } from '@headwise/core';
import { writeJsonFile } from '@headwise/models/node';
import { saveTokenizer } from '@headwise/tokenizers/node';
import { lossAndGradients, nextTokenLoss } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { Command } from 'commander';
import { backendOption, start, startFastest } from '../backend.js';
import { commandName, duration, type Output, output } from '../output.js';
import { type RunConfig, readRunConfig } from '../run-config.js';
import { RunFolder } from '../run-folder.js';
import {
  describeData,
  newModel,
  prepareData,
  type RunData,
  readParts,
} from '../training/prepare.js';
import { hasValidation, reportRun } from '../training/report.js';
import { newOptimizer, Session } from '../training/session.js';

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
    .description('train a model on a text')
    .requiredOption('--config <file>', 'what to train: model, tokenizer, data, schedule')
    .requiredOption('--out <dir>', 'the folder for model, tokenizer and checkpoints')
    .option('--set <path=value>', 'change a value of the configuration; repeatable', collect)
    .option('--resume', 'go on from the last checkpoint in the folder, if there is one')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON lines: data, backend, step, validation, sample, done')
    .action(async (options: TrainCommandOptions) => {
      const out = output(options.json ?? false);
      const backend = backendOption(options.backend);
      const config = await readRunConfig(options.config, options.set);
      // Everything that can be refused is refused before the folder is touched.
      const parts = await readParts(config);
      const folder = await RunFolder.inspect(options.out, config, options.resume ?? false);
      const data = await prepareData(config, parts, folder);
      await folder.create(config);
      await saveTokenizer(data.tokenizer, folder.tokenizerPath);
      describeData(out, data);
      const report = await startFastest(out, backend, () => probe(config, data));
      out.emit({ event: 'backend', ...report });
      out.say(`backend    ${report.backend}${report.adapter ? `, ${report.adapter}` : ''}`);
      const begun = performance.now();
      const stop = stopSignal();
      const session = await trainToEnd(out, { config, data, folder, report, stop });
      if (session.step < config.training.steps) {
        out.emit({ event: 'stopped', step: session.step });
        out.note(`headwise: stopped at step ${session.step}; --resume goes on from there`);
        process.exitCode = interrupted;
      } else {
        await reportRun(out, session, config, data, folder);
        finish(out, options.out, (performance.now() - begun) / 1000);
      }
      session.dispose();
    });
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** The exit code of a program that was stopped from the keyboard. */
const interrupted = 130;

/** Aborts on Ctrl-C or a request to end; one more, a second later, ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let first = Number.POSITIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // npm passes on what the terminal has sent us already.
      if (performance.now() - first > 1000) process.exit(interrupted);
      first = Math.min(first, performance.now());
      controller.abort();
    });
  }
  return controller.signal;
}

/** What a training run is made of. */
interface Run {
  config: RunConfig;
  data: RunData;
  folder: RunFolder;
  report: BackendReport;
  stop: AbortSignal;
}

/** Losses of the device in a row, without a new checkpoint between them, that a run survives. */
const maxLosses = 3;

/** Trains to the last step; where the GPU device is lost, from the last checkpoint on a new one. */
async function trainToEnd(out: Output, run: Run): Promise<Session> {
  let losses = 0;
  let reached = -1;
  for (;;) {
    const session = await Session.open(run);
    losses = session.step > reached ? 0 : losses;
    reached = Math.max(reached, session.step);
    try {
      await runSession(out, run, session);
      return session;
    } catch (error) {
      session.dispose();
      if (!(error instanceof DeviceLostError) || ++losses > maxLosses) throw error;
      out.note(`headwise: ${error.message}; going on from the last checkpoint on a new device`);
      await start(out, run.report.backend);
    }
  }
}

async function runSession(
  out: Output,
  { config, folder, stop }: Run,
  session: Session,
): Promise<void> {
  const { steps } = config.training;
  if (session.step > steps) {
    throw new InputError(
      `${folder.path}: the run there is at step ${session.step}; 'training.steps' is ${steps}`,
    );
  }
  const history = await folder.cutHistory(session.step);
  if (session.step === steps) out.say(`run        complete at step ${session.step} of ${steps}`);
  else if (session.step > 0) out.say(`run        resumes at step ${session.step} of ${steps}`);
  else {
    out.say(`run        ${session.model.params.count()} parameters, ${steps} steps`);
    await writeJsonFile(join(folder.path, 'generation_config.json'), {
      do_sample: true,
      temperature: 0.8,
      top_k: 0,
      top_p: 1,
    });
  }
  const validate = async () => {
    const validation = await session.validate();
    await folder.addHistory([{ step: session.step, validation }]);
  };
  if (session.step === 0 && !hasValidation(history, 0)) await validate();
  if (session.step < steps) await session.run(out, stop);
  if (stop.aborted) return;
  if (!hasValidation(await folder.history(), session.step)) await validate();
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
        nextTokenLoss(model.network, batch),
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
