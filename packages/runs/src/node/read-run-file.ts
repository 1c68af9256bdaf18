import { InputError } from '@headwise/core';
import { readJson } from '@headwise/models/node';
import { parseRunConfig, type RunConfig } from '../run-config.js';

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
  let json = await readJson(path);
  for (const override of overrides) json = withOverride(json, override);
  return parseRunConfig(json, path);
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
      throw new InputError(
        `--set '${override}': '${step}' is ${JSON.stringify(next)}; expected an object`,
      );
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
