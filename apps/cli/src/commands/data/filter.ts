import { InputError } from '@headwise/core';
import type { Amount, StepSettings, StepTally } from '@headwise/data';
import {
  type FilterReport,
  filterDocuments,
  filterShard,
  outputEnding,
  type Shard,
  type StepModule,
} from '@headwise/data/node';
import { Command, InvalidArgumentError } from 'commander';
import { output } from '../../output.js';
import { workOf } from './pipeline.js';
import { type RunOptions, shareOf, shownPath, showRun, withRunOptions } from './run.js';

interface Options extends RunOptions {
  pipeline: string;
  backend?: string;
  shard?: Shard;
}

/** `headwise data filter`: documents that pass every step of a pipeline file. */
export function filterCommand(): Command {
  const command = new Command('filter')
    .description('keep the documents that pass every step of a pipeline')
    .requiredOption('--pipeline <file>', "a pipeline file, whose 'filter' says all of it")
    .option('--backend <name>', 'of steps with a model: webgpu, wasm or cpu')
    .option(
      '--shard <i/n>',
      'take the i-th of n parts, beside other processes on the same folder; without it, all that is left',
      shardOption,
    )
    .addHelpText(
      'after',
      `
A pipeline file, with paths below its own folder:
  { "inputs": ["raw"],
    "filter": { "out": "clean", "rejects": true,
      "steps": [{ "step": "gopher-quality", "minWords": 40 }, { "step": "replace-pii" }] } }
Inputs are files, folders, globs or addresses of .jsonl, .csv, .txt and .warc, plain, .gz or .zst, and .parquet; one may be
  { "path": "raw/*.csv.gz", "text": "body", "id": "key", "maxBytes": 1000000, "format": "csv" }
Steps: url-rules, language, gopher-repetition, gopher-quality, c4-quality, fineweb-quality, replace-pii, and
  { "step": "decontaminate", "evaluation": ["gsm8k.jsonl"] }
  { "step": "classifier", "model": "quality", "label": "good", "threshold": 0.5 }, of finetune --method classify
  { "step": "perplexity", "model": "wikipedia", "max": 500 }, a token under a language model
"format": "parquet" writes .parquet with the columns id, text and meta; "gzip": true compresses, as .jsonl.gz or within
Parquet. A run that was killed goes on when called again.`,
    )
    .action(async ({ pipeline: file, backend, shard, ...options }: Options) => {
      const { workers } = options;
      const { inputs, out, stage } = await workOf('filter', [], { pipeline: file });
      const { out: _, ...settings } = stage!;
      const stepModule = await modelModule(settings.steps, backend, options);
      const run = { ...settings, stepModule, workers };
      if (shard) {
        await showRun(
          options,
          (onProgress) => filterShard(inputs, out, { ...run, shard, onProgress }),
          (units) => [
            `${shownPath(out)}: ${units} units of shard ${shard.index + 1}/${shard.count} are done`,
          ],
        );
        return;
      }
      await showRun(
        options,
        (onProgress) => filterDocuments(inputs, out, { ...run, onProgress }),
        (report) =>
          linesOf(report, `${shownPath(out)}: documents/*.${outputEnding(settings)}, report.json`),
      );
    });
  return withRunOptions(command);
}

const modelStepNames: readonly string[] = ['classifier', 'perplexity'];

/**
 * Where steps with a model come from, and what they compute on: this thread's backend, started, or that of each of several threads.
 * Undefined where there are none: nothing of models is loaded then.
 *
 * @throws InputError for a backend without a step that uses it, and for several threads on one GPU
 */
async function modelModule(
  steps: readonly StepSettings[],
  given: string | undefined,
  { workers, json = false }: RunOptions,
): Promise<StepModule | undefined> {
  const found = steps.find(({ step }) => modelStepNames.includes(step));
  if (!found) {
    if (given === undefined) return undefined;
    throw new InputError(
      `--backend is ${given}, expected with one of the steps ${modelStepNames.join(', ')} only`,
    );
  }
  const { modelSteps } = await import('@headwise/runs/node');
  const { backendOption, start } = await import('../../backend.js');
  const named = backendOption(given);
  if (workers === 1) {
    const { backend } = await start(output(json), named);
    return modelSteps({ backend });
  }
  const backend = named ?? backendOption(process.env.HEADWISE_BACKEND) ?? 'wasm';
  if (backend !== 'webgpu') return modelSteps({ backend });
  throw new InputError(
    `--workers is ${workers} and the backend of the step ${found.step} webgpu; expected --workers 1: the GPU reads many documents at once`,
  );
}

function shardOption(text: string): Shard {
  const [, i, n] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const [index, count] = [Number(i) - 1, Number(n)];
  if (index >= 0 && index < count) return { index, count };
  throw new InvalidArgumentError(
    `'${text}' is not a part such as 1/4: a number from 1, and of how many.`,
  );
}

/** What each step kept and dropped, by rule, as shares of all documents and bytes. */
function linesOf({ read, kept, steps }: FilterReport, files: string): string[] {
  const line = (name: string, { documents, bytes }: Amount) =>
    `${name.padEnd(40)}${column(documents, read.documents)}${column(bytes, read.bytes)}`;
  const ofStep = ({ step, kept: passed, rewritten, dropped }: StepTally) => [
    line(step, passed),
    ...(rewritten.documents > 0 ? [line('  rewritten', rewritten)] : []),
    ...Object.entries(dropped)
      .sort(([, a], [, b]) => b.documents - a.documents)
      .map(([rule, amount]) => line(`  dropped: ${rule}`, amount)),
  ];
  return [
    `${''.padEnd(40)}${'documents'.padStart(22)}${'bytes'.padStart(22)}`,
    line('read', read),
    ...steps.flatMap(ofStep),
    line('kept', kept),
    files,
  ];
}

function column(part: number, whole: number): string {
  return `${part}${shareOf(part, whole).padStart(9)}`.padStart(22);
}
