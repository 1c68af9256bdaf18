import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '@headwise/core';
import { parseRunConfig } from '../parse-run-config.js';
import type { RunConfig } from '../run-config.js';
import { runFileNames } from '../run-files.js';

/** The settings by which two runs are the same. */
export interface RunIdentity {
  /** The settings that must not change when a run resumes: with them its losses are those of a run without a break. */
  fixed: Readonly<Record<string, unknown>>;
  /**
   * The same settings of the run in a folder.
   *
   * @param json the content of its `trainer/config.json`
   * @throws InputError where it is not a configuration
   */
  fixedOf(json: unknown, name: string): Readonly<Record<string, unknown>>;
}

/** The identity of a pre-training run. */
export function runIdentity(config: RunConfig): RunIdentity {
  const fixedOf = (json: unknown, name: string) => fixed(parseRunConfig(json, name));
  return { fixed: fixed(config), fixedOf };
}

/**
 * Throws unless the run in a folder may be resumed.
 *
 * @param path of the folder
 * @param before the content of its `trainer/config.json`
 * @throws InputError where `resume` is not set, or a fixed setting of the run there differs
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

/** The settings of a configuration that must not change when its run resumes. */
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
