import { InputError } from '@headwise/core';
import { readJson } from '@headwise/models/node';
import { parseValue, withValue } from '../override.js';
import { parseRunConfig } from '../parse-run-config.js';
import type { RunConfig } from '../run-config.js';

/**
 * Reads a run's file.
 *
 * @param overrides `path=value` each; the value is JSON, or else a text
 * @throws InputError with a line a problem: the file, the key, what it holds, what was expected
 */
export async function readRunFile(
  path: string,
  overrides: readonly string[] = [],
): Promise<RunConfig> {
  return parseRunConfig(await readRunJson(path, overrides), path);
}

/**
 * What a run's file holds, with values changed and nothing else checked.
 *
 * @throws InputError where it is not JSON, or a change is not of the form `path=value`
 */
export async function readRunJson(
  path: string,
  overrides: readonly string[] = [],
): Promise<unknown> {
  let json = await readJson(path);
  for (const override of overrides) {
    const [, at, value] = /^([\w.]+)=(.*)$/s.exec(override) ?? [];
    if (at === undefined || value === undefined) {
      throw new InputError(
        `--set '${override}' is not of the form path=value, e.g. training.steps=100`,
      );
    }
    json = withValue(json, at, parseValue(value), `--set '${override}'`);
  }
  return json;
}
