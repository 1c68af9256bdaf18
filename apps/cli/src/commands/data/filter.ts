import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InputError } from '@headwise/core';
import type { Amount, StepSettings, StepTally } from '@headwise/data';
import {
  type FilterReport,
  type FilterSettings,
  filterDocuments,
  filterShard,
  type Input,
  isAddress,
  outputEnding,
  type Shard,
} from '@headwise/data/node';
import { Command, InvalidArgumentError } from 'commander';
import { type RunOptions, shareOf, showRun, withRunOptions } from './run.js';

interface Options extends RunOptions {
  pipeline: string;
  shard?: Shard;
}

/** A pipeline file: paths are below the file's own folder. */
export interface Pipeline extends FilterSettings {
  readonly inputs: readonly Input[];
  readonly out: string;
}

/** `headwise data filter`: documents that pass every step of a pipeline file. */
export function filterCommand(): Command {
  const command = new Command('filter')
    .description('keep the documents that pass every step of a pipeline')
    .requiredOption('--pipeline <file>', 'a JSON file with inputs, steps, out, rejects, format and gzip')
    .option(
      '--shard <i/n>',
      'take the i-th of n parts, beside other processes on the same folder; without it, all that is left',
      shardOption,
    )
    .addHelpText(
      'after',
      `
A pipeline file, with paths below its own folder:
  { "inputs": ["raw"], "out": "clean", "rejects": true,
    "steps": [{ "step": "gopher-quality", "minWords": 40 }, { "step": "replace-pii" }] }
Inputs are files, folders, globs or addresses of .jsonl, .csv, .txt and .warc, plain, .gz or .zst, and .parquet; one may be
  { "path": "raw/*.csv.gz", "text": "body", "id": "key", "maxBytes": 1000000, "format": "csv" }
Steps: url-rules, language, gopher-repetition, gopher-quality, c4-quality, fineweb-quality, replace-pii,
and { "step": "decontaminate", "evaluation": ["gsm8k.jsonl"] }.
"format": "parquet" writes .parquet with the columns id, text and meta; "gzip": true compresses, as .jsonl.gz or within Parquet. A run that was killed goes on when called again.`,
    )
    .action(async (options: Options) => {
      const pipeline = await readPipeline(options.pipeline);
      const { inputs, out, steps, rejects = false, format, gzip } = pipeline;
      const { shard, workers } = options;
      const settings = { steps, rejects, format, gzip, workers };
      if (shard) {
        await showRun(
          options,
          (onProgress) => filterShard(inputs, out, { ...settings, shard, onProgress }),
          (units) => [`${out}: ${units} units of shard ${shard.index + 1}/${shard.count} are done`],
        );
        return;
      }
      await showRun(
        options,
        (onProgress) => filterDocuments(inputs, out, { ...settings, onProgress }),
        (report) => linesOf(report, `${out}: documents/*.${outputEnding(pipeline)}, report.json`),
      );
    });
  return withRunOptions(command);
}

function shardOption(text: string): Shard {
  const [, i, n] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const [index, count] = [Number(i) - 1, Number(n)];
  if (index >= 0 && index < count) return { index, count };
  throw new InvalidArgumentError(
    `'${text}' is not a part such as 1/4: a number from 1, and of how many.`,
  );
}

const keys = ['inputs', 'steps', 'out', 'rejects', 'format', 'gzip'];

export async function readPipeline(path: string): Promise<Pipeline> {
  const pipeline = await readJson(path);
  const unknown = Object.keys(pipeline).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw new InputError(`${path}: '${unknown}' is not a key; expected ${keys.join(', ')}`);
  }
  const { inputs, out } = pipeline;
  if (!Array.isArray(inputs) || inputs.length === 0) {
    throw new InputError(`${path}: inputs is ${JSON.stringify(inputs)}; expected a list of inputs`);
  }
  if (!isText(out)) {
    throw new InputError(`${path}: out is ${JSON.stringify(out)}; expected the path of a folder`);
  }
  for (const key of ['rejects', 'gzip'] as const) {
    const value: unknown = pipeline[key];
    if (value === undefined || typeof value === 'boolean') continue;
    throw new InputError(`${path}: ${key} is ${JSON.stringify(value)}; expected true or false`);
  }
  const below = (name: string) => (isAddress(name) ? name : resolve(dirname(path), name));
  const placed = (input: Input): Input => {
    if (isText(input)) return below(input);
    return isText(Object(input).path) ? { ...input, path: below(input.path) } : input;
  };
  /** Files that a step names are below the pipeline's folder too. */
  const located = (step: StepSettings): StepSettings =>
    Array.isArray(step?.evaluation)
      ? { ...step, evaluation: step.evaluation.map((name) => below(String(name))) }
      : step;
  const steps = Array.isArray(pipeline.steps) ? pipeline.steps.map(located) : pipeline.steps;
  return { ...pipeline, steps, inputs: inputs.map(placed), out: below(out) };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

async function readJson(path: string): Promise<Pipeline> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new InputError(`${path}: cannot be read as JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Pipeline;
  }
  throw new InputError(`${path}: holds no object; expected one with ${keys.join(', ')}`);
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
