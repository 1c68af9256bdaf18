import { InputError } from '@headwise/core';
import { checkDivides, parseWith } from '@headwise/models/internal';
import { readJson } from '@headwise/models/node';
import { z } from 'zod';

const size = z.number().int().min(1);
const positive = z.number().positive();

const schema = z.strictObject({
  model: z.strictObject({
    family: z.literal('gpt2'),
    /** Model width, divisible by `heads`. */
    dim: size,
    heads: size,
    layers: size,
    /** Tokens in a window. */
    context: size,
    /** Default 4 `dim`. */
    hidden: size.optional(),
    dropout: z.number().min(0).lt(1).default(0),
  }),
  tokenizer: z.strictObject({
    kind: z.enum(['byte-bpe', 'character']),
    /** For `byte-bpe`: 256 bytes and what is learned. */
    vocabSize: z.number().int().min(256).default(1024),
  }),
  data: z.strictObject({
    /** A text file, a folder of `.txt` files, or `npm:PACKAGE` for a package that exports texts. */
    corpus: z.string().min(1),
    /** The part of the corpus, at its end, that is kept for validation. */
    validation: z.number().gt(0).lt(1).default(0.1),
  }),
  training: z.strictObject({
    seed: z.number().int().min(0).default(0),
    steps: size,
    batchSize: size.default(8),
    learningRate: positive.default(0.001),
    minLearningRate: z.number().min(0).default(0),
    warmupSteps: z.number().int().min(0).default(0),
    weightDecay: z.number().min(0).default(0.01),
    beta2: z.number().gt(0).lt(1).default(0.99),
    maxNorm: positive.default(1),
    checkpointEvery: size.default(100),
  }),
  samples: z
    .strictObject({
      prompt: z.string().min(1),
      temperatures: z.array(z.number().min(0)).default([0.5, 0.8, 1]),
      maxNewTokens: size.default(80),
      seed: z.number().int().min(0).default(0),
    })
    .optional(),
});

/** What a training run is: model, tokenizer, data and schedule. */
export type RunConfig = z.infer<typeof schema>;

/**
 * Reads a run's configuration.
 *
 * @param overrides `path=value` each; the value is JSON, or else a text
 * @throws InputError with a line a problem: the file, the key, what it holds, what was expected
 */
export async function readRunConfig(
  path: string,
  overrides: readonly string[] = [],
): Promise<RunConfig> {
  let json = await readJson(path);
  for (const override of overrides) json = withOverride(json, override);
  return checkRunConfig(json, path);
}

/** Checks a configuration against the schema and for sizes that must fit each other. */
export function checkRunConfig(json: unknown, name: string): RunConfig {
  const config = parseWith(schema, json, name);
  const { model, training } = config;
  checkDivides(name, 'model.dim', model.dim, 'model.heads', model.heads);
  if (training.warmupSteps > training.steps) {
    throw new InputError(
      `${name}: 'training.warmupSteps' ${training.warmupSteps} is more than 'training.steps' ${training.steps}`,
    );
  }
  if (training.minLearningRate > training.learningRate) {
    throw new InputError(
      `${name}: 'training.minLearningRate' ${training.minLearningRate} is more than 'training.learningRate' ${training.learningRate}`,
    );
  }
  return config;
}

/** A copy of a document in which one value is another. */
function withOverride(json: unknown, override: string): unknown {
  const [, path, value] = /^([\w.]+)=(.*)$/s.exec(override) ?? [];
  if (path === undefined || value === undefined) {
    throw new InputError(
      `--set '${override}' is not of the form path=value, e.g. training.steps=100`,
    );
  }
  if (typeof json !== 'object' || json === null) return json;
  const copy = structuredClone(json) as Record<string, unknown>;
  const steps = path.split('.');
  const last = steps.pop()!;
  let place = copy;
  for (const step of steps) {
    const next = Object.hasOwn(place, step) ? place[step] : undefined;
    if (next === undefined) place[step] = {};
    else if (typeof next !== 'object' || next === null) {
      throw new InputError(`--set '${override}': '${step}' is ${JSON.stringify(next)}, no object`);
    }
    place = place[step] as Record<string, unknown>;
  }
  place[last] = parsed(value);
  return copy;
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
