import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '@headwise/core';
import { parseRunConfig } from '../parse-run-config.js';
import type { RunConfig } from '../run-config.js';
import { runFileNames } from '../run-files.js';

/** What tells a run from others. */
export interface RunIdentity {
  /** What a run that resumes must have as it was, for its losses to be those of one run. */
  fixed: Readonly<Record<string, unknown>>;
  /**
   * The same of a run that a folder holds.
   *
   * @param json what its `trainer/config.json` holds
   * @throws InputError where it cannot be read
   */
  fixedOf(json: unknown, name: string): Readonly<Record<string, unknown>>;
}

/** What tells a run of a run's file from others. */
export function runIdentity(config: RunConfig): RunIdentity {
  const fixedOf = (json: unknown, name: string) => fixed(parseRunConfig(json, name));
  return { fixed: fixed(config), fixedOf };
}

/**
 * Throws unless a folder's run may be gone on with.
 *
 * @param path the folder's
 * @param before what its `trainer/config.json` holds
 * @throws InputError where `resume` is not set, or the run there differs in what is fixed
 */
export function checkSame(
  path: string,
  before: unknown,
  { run, resume }: { run: RunIdentity; resume: boolean },
): void {
  if (!resume) {
    throw new InputError(
      `${path}: holds a training run already; give --resume to go on with it, or another folder`,
    );
  }
  const there = run.fixedOf(before, join(path, runFileNames.config));
  const given = run.fixed;
  for (const part of new Set([...Object.keys(there), ...Object.keys(given)])) {
    if (isDeepStrictEqual(there[part], given[part])) continue;
    throw new InputError(
      `${path}: the run there has '${part}' ${JSON.stringify(there[part])}; the configuration given has ${JSON.stringify(given[part])}`,
    );
  }
}

/** What a run that resumes must have as it was, for its losses to be those of one run. */
function fixed({
  objective,
  model,
  tokenizer,
  data,
  training,
}: RunConfig): Record<string, unknown> {
  const { seed, batchSize, emaDecay, precision } = training;
  return {
    objective: objective ?? 'causal-lm',
    model,
    tokenizer,
    ...('task' in data
      ? { data }
      : {
          'data.validation': data.validation,
          'data.packing': 'packing' in data ? data.packing : undefined,
          'data.separator': 'separator' in data ? data.separator : undefined,
          'data.masking': 'masking' in data ? data.masking : undefined,
        }),
    'training.seed': seed,
    'training.batchSize': batchSize,
    'training.emaDecay': emaDecay,
    'training.precision': precision,
  };
}
