import { InputError } from '@headwise/core';
import { parseWith } from '@headwise/models/internal';
import { checkedRun } from './check-run-config.js';
import type { RunConfig } from './run-config.js';
import { runSchema } from './run-schema.js';

/**
 * Reads a run's file, with defaults for what is absent.
 *
 * @param name the file's, for errors
 * @throws InputError with a line a problem: the file, the key, what it holds, what was expected
 * @example
 * parseRunConfig({
 *   model: { dim: 64, heads: 4, layers: 2, context: 64 },
 *   tokenizer: { kind: 'character' },
 *   data: { corpus: 'book.txt' },
 *   training: { steps: 100 },
 * });
 */
export function parseRunConfig(json: unknown, name = 'run.json'): RunConfig {
  const has = (section: string, key: string) => {
    const value = (json as Record<string, unknown> | null)?.[section];
    return typeof value === 'object' && value !== null && key in value;
  };
  if (has('data', 'source')) {
    throw new InputError(
      `${name}: 'data.source' is of the lab's own settings; import the file in the lab, and export the run's file there`,
    );
  }
  const fields = Object(json) as Record<string, unknown>;
  if ('method' in fields && !('model' in fields)) {
    throw new InputError(
      `${name}: is of a fine-tuning run, whose 'method' is ${JSON.stringify(fields.method)}; expected that of a run of headwise train`,
    );
  }
  const schema = runSchema({
    isConfigured: has('model', 'config'),
    source: has('data', 'task')
      ? 'task'
      : has('data', 'shards') || has('data', 'mixture')
        ? 'shards'
        : 'text',
  });
  return checkedRun(parseWith(schema, json, name) as RunConfig, name);
}
