import { join } from 'node:path';
import { type BackendReport, InputError, readTensor } from '@headwise/core';
import { checkPrecision } from '@headwise/kernels/internal';
import {
  checkRunFits,
  freeWork,
  isSharded,
  newWork,
  planRun,
  prepareData,
  type RunConfig,
  type RunData,
  Session,
  textHash,
} from '@headwise/runs';
import {
  openRunShards,
  RunFolder,
  readCorpus,
  readRunFile,
  withTensorBoard,
} from '@headwise/runs/node';
import { tokenizerText } from '@headwise/tokenizers/node';
import { lossAndGradients } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { Command } from 'commander';
import { backendOption, fastestFor, start } from '../backend.js';
import { commandName, duration, type Output, output } from '../output.js';
import { showPlan } from '../training/plan.js';
import { describeData, reportRun } from '../training/report.js';
import { trainToEnd } from '../training/train-to-end.js';

interface TrainCommandOptions {
  config: string;
  out: string;
  set?: string[];
  resume?: boolean;
  corpus?: string;
  tensorboard?: string;
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
    .option(
      '--corpus <path>',
      "read the text of 'data.corpus' here, where the run has it elsewhere",
    )
    .option('--tensorboard <dir>', 'write losses and rates as event files of TensorBoard too')
    .option('--backend <name>', 'webgpu, wasm or cpu; an error where it cannot be had')
    .option('--json', 'print JSON lines: plan, data, backend, step, validation, sample, done')
    .action(async (options: TrainCommandOptions) => {
      const out = output(options.json ?? false);
      const backend = backendOption(options.backend);
      const config = await readRunFile(options.config, options.set);
      // Everything that can be refused is refused before the folder is touched.
      if (options.out === '') throw new InputError("--out is ''; expected the name of a folder");
      checkRunFits(config);
      const { corpus, separator } = 'corpus' in config.data ? config.data : {};
      if (options.corpus !== undefined && corpus === undefined) {
        throw new InputError(`--corpus is '${options.corpus}'; the run has no 'data.corpus'`);
      }
      const text =
        corpus === undefined
          ? undefined
          : await readCorpus(options.corpus ?? corpus, options.config, separator);
      const shards = isSharded(config.data) ? await openRunShards(config.data) : undefined;
      const sha256 = text === undefined ? shards?.sha256 : await textHash(text);
      const folder = await RunFolder.inspect(options.out, config, {
        resume: options.resume,
        warn: (line) => out.note(`headwise: ${line}`),
      });
      if (sha256 !== undefined) await folder.checkCorpus(sha256, placeOf(config.data));
      const made = await folder.tokenizer();
      const data = await prepareData(config, { text, shards, tokenizer: made });
      const tokenizer = tokenizerText(data.tokenizer);
      const first = await start(out, backend);
      const { precision } = config.training;
      checkPrecision(options.config, precision);
      // What is begun was planned then.
      if (!made) await showPlan(out, () => planRun(config, data.tokenizer));
      await folder.create(config, { corpus: sha256, tokenizer });
      try {
        describeData(out, data);
        const prefer = precision === 'mixed' ? first.backend : backend;
        const report = await fastestFor(out, { first, prefer }, () => probe(config, data));
        out.emit({ event: 'backend', ...report });
        out.say(`backend    ${report.backend}${report.adapter ? `, ${report.adapter}` : ''}`);
        await trainAndReport(out, { config, data, folder, report, events: options.tensorboard });
      } finally {
        await folder.release();
      }
    });
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** Where a run's text or shards are, for errors. */
const placeOf = (data: RunConfig['data']): string =>
  Object.entries(data)
    .filter(([key]) => ['corpus', 'shards', 'mixture'].includes(key))
    .map(([key, value]) => `'data.${key}' ${value}`)
    .join('');

/** What a training run is made of. */
interface Run {
  config: RunConfig;
  data: RunData;
  folder: RunFolder;
  report: BackendReport;
  /** The folder of event files, where they are asked for. */
  events: string | undefined;
}

async function trainAndReport(
  out: Output,
  { config, data, folder, report, events }: Run,
): Promise<void> {
  const begun = performance.now();
  const storage = events === undefined ? folder : withTensorBoard(folder, events);
  const run = {
    open: () => Session.open({ config, data, storage }),
    steps: config.training.steps,
    folder,
    backend: report.backend,
  };
  const session = await trainToEnd(out, run);
  if (!session) return;
  await reportRun(out, session, folder);
  const seconds = (performance.now() - begun) / 1000;
  finish(out, folder.path, { seconds, objective: config.objective });
  session.dispose();
}

/** One training step of the run's model, without its update, on the backend in use. */
function probe(
  config: RunConfig,
  data: RunData,
): { run: () => Promise<void>; dispose: () => void } {
  const work = newWork(config, data);
  const { model, objective, optimizer, ema, batches } = work;
  const params = model.params.named();
  return {
    run: async () => {
      const batch = await batches.at(0);
      const { loss, gradients } = lossAndGradients(params, () => objective.loss(batch));
      optimizer.update(gradients, 0);
      ema?.update();
      // The last parameter's update is the last work in the queue.
      await readTensor(Object.values(params).at(-1)!);
      tf.dispose([loss, gradients]);
    },
    dispose: () => freeWork(work),
  };
}

function finish(
  out: Output,
  folder: string,
  { seconds, objective }: { seconds: number; objective: RunConfig['objective'] },
): void {
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  out.emit({ event: 'done', folder, seconds, peakBytes });
  out.say(
    `\ndone in ${duration(seconds)}, peak memory ${(peakBytes / 2 ** 20).toFixed(0)} MiB; the model is in ${folder}`,
  );
  out.say('\nnext:');
  if (objective && ['masked-lm', 'next-sentence', 'sentence-order'].includes(objective)) {
    out.say(`  ${commandName()} logits --model ${folder} --ids 1,2,3`);
    out.say(`  ${commandName()} finetune --model ${folder} --method classify|embed|mlm …`);
    return;
  }
  out.say(
    `  ${commandName()} generate --model ${folder} --prompt "Call me" --temperature 0.8 --stream`,
  );
  out.say(
    `  ${commandName()} tokenize --tokenizer ${join(folder, 'tokenizer.json')} --text "Call me Ishmael."`,
  );
}
