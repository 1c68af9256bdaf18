import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '@headwise/core';
import type { StepSettings } from '@headwise/data';
import { type Input, isAddress, outputFormats } from '@headwise/data/node';
import { z } from 'zod';
import { dedupKeys } from './dedup-settings.js';

const path = z.string().min(1);
const output = {
  out: path,
  format: z.enum(outputFormats).optional(),
  gzip: z.boolean().optional(),
};

const schema = z.strictObject({
  inputs: z.array(z.union([path, z.looseObject({ path })])).min(1),
  filter: z
    .strictObject({
      ...output,
      rejects: z.boolean().optional(),
      steps: z.array(z.looseObject({ step: z.string() })).min(1),
    })
    .optional(),
  dedup: z.strictObject({ ...output, ...dedupKeys }).optional(),
  tokenize: z
    .strictObject({ out: path, tokenizer: path, end: z.union([path, z.literal(false)]).optional() })
    .optional(),
  mix: z
    .strictObject({
      out: path,
      sources: z
        .array(z.looseObject({ shards: path }))
        .min(1)
        .optional(),
      temperature: z.number().positive().optional(),
      curriculum: z
        .array(z.strictObject({ steps: z.number().int().min(1), length: z.number().int().min(1) }))
        .optional(),
    })
    .optional(),
});

/** What a pipeline file holds; paths are those that its own folder makes of them. */
export type Pipeline = Omit<z.output<typeof schema>, 'inputs' | 'filter'> & {
  inputs: Input[];
  filter?:
    | (Omit<NonNullable<z.output<typeof schema>['filter']>, 'steps'> & { steps: StepSettings[] })
    | undefined;
};

/**
 * Reads a pipeline file: where documents come from, and what each command of `headwise data` does with them.
 *
 * @throws InputError with a line a problem: the key, what it holds, what was expected
 */
export async function readPipeline(file: string): Promise<Pipeline> {
  // A command without a pipeline file starts without the library of models.
  const { parseWith } = await import('@headwise/models/internal');
  const { readJson } = await import('@headwise/models/node');
  const { inputs, filter, dedup, tokenize, mix } = parseWith(schema, await readJson(file), file);
  const below = (name: string) => (isAddress(name) ? name : resolve(dirname(file), name));
  const placed = <T extends { out: string }>(stage: T | undefined): T | undefined =>
    stage && { ...stage, out: below(stage.out) };
  return {
    inputs: inputs.map((input) =>
      typeof input === 'string' ? below(input) : { ...input, path: below(input.path) },
    ),
    filter: filter && {
      ...placed(filter)!,
      steps: filter.steps.map((step) => located(step, below)),
    },
    dedup: placed(dedup),
    tokenize: tokenize && { ...placed(tokenize)!, tokenizer: below(tokenize.tokenizer) },
    mix: mix && {
      ...placed(mix)!,
      sources: mix.sources?.map((source) => ({ ...source, shards: below(source.shards) })),
    },
  };
}

/** The paths that a step names. */
export const pathsOfStep = ({ model, evaluation }: StepSettings): string[] =>
  [model, evaluation].flat().filter((name): name is string => typeof name === 'string');

function located(step: StepSettings, below: (name: string) => string): StepSettings {
  const { model, evaluation } = step;
  return {
    ...step,
    ...(typeof model === 'string' && { model: below(model) }),
    ...(Array.isArray(evaluation) && {
      evaluation: evaluation.map((name) => (typeof name === 'string' ? below(name) : name)),
    }),
  };
}

/** What a command reads and where it writes, and its stage of a pipeline file where that says so. */
export interface Work<S extends 'filter' | 'dedup' | 'tokenize'> {
  readonly inputs: Input[];
  readonly out: string;
  readonly stage?: NonNullable<Pipeline[S]> | undefined;
}

/**
 * The work of a command, which the command line says, or a pipeline file: a stage reads what the last one before it wrote, or
 * the pipeline's inputs.
 *
 * @param flags the command's own
 * @throws InputError where it is said twice or not at all, the file has no such stage, or the one before has not ended
 */
export async function workOf<S extends 'filter' | 'dedup' | 'tokenize'>(
  command: S,
  inputs: string[],
  {
    pipeline: file,
    out,
    ...flags
  }: { pipeline?: string | undefined; out?: string | undefined; [flag: string]: unknown },
): Promise<Work<S>> {
  if (file === undefined) {
    if (inputs.length > 0 && out !== undefined) return { inputs, out };
    const missing = out === undefined ? '--out is missing' : 'the inputs are missing';
    throw new InputError(`${missing}; expected inputs and --out, or --pipeline`);
  }
  refuseSaid(file, inputs, { out, ...flags });
  const pipeline = await readPipeline(file);
  const stage = pipeline[command];
  if (!stage) {
    throw new InputError(`${file}: '${command}' is missing; expected what data ${command} does`);
  }
  const stages = ['filter', 'dedup', 'tokenize'] as const;
  const before = stages.slice(0, stages.indexOf(command)).findLast((name) => pipeline[name]);
  if (!before) return { inputs: pipeline.inputs, out: stage.out, stage };
  const folder = pipeline[before]!.out;
  if (existsSync(join(folder, 'report.json'))) {
    return { inputs: [join(folder, 'documents')], out: stage.out, stage };
  }
  throw new InputError(
    `${file}: data ${command} reads ${join(folder, 'documents')}, where data ${before} has not ended; run data ${before} --pipeline ${file} first`,
  );
}

/**
 * What a command that only looks at documents reads: the inputs of the command line, or of a pipeline file what its last stage that has
 * ended wrote, and the pipeline's inputs before the first has.
 *
 * @throws InputError where inputs are given twice or not at all
 */
export async function inputsToRead(inputs: string[], file: string | undefined): Promise<Input[]> {
  if (file === undefined) {
    if (inputs.length > 0) return inputs;
    throw new InputError('the inputs are missing; expected inputs, or --pipeline');
  }
  refuseSaid(file, inputs, {});
  const pipeline = await readPipeline(file);
  const { tokenize } = pipeline;
  if (tokenize && existsSync(join(tokenize.out, 'shards.json'))) return [tokenize.out];
  for (const stage of [pipeline.dedup, pipeline.filter]) {
    if (stage && existsSync(join(stage.out, 'report.json'))) return [join(stage.out, 'documents')];
  }
  return pipeline.inputs;
}

/** Refuses arguments and flags that say what a pipeline file says. */
export function refuseSaid(
  file: string,
  given: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): void {
  const names = Object.keys(flags).filter((name) => flags[name] !== undefined);
  const [twice] = [...given, ...names.map((name) => `--${name}`)];
  if (twice === undefined) return;
  throw new InputError(
    `--pipeline ${file} and ${twice} are given; leave one out: the file says all of it`,
  );
}
