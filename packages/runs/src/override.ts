import { InputError } from '@headwise/core';

/**
 * A copy of a document in which the value at a path is another.
 *
 * @param path keys joined by dots, such as `training.steps`
 * @param what names the change, for errors: `--set 'training.steps=100'`
 * @throws InputError where the path leads through something that is not an object
 */
export function withValue(json: unknown, path: string, value: unknown, what: string): unknown {
  if (typeof json !== 'object' || json === null) return json;
  const copy = structuredClone(json) as Record<string, unknown>;
  const steps = path.split('.');
  const last = steps.pop()!;
  let place = copy;
  for (const step of steps) {
    const next = Object.hasOwn(place, step) ? place[step] : undefined;
    if (next === undefined) place[step] = {};
    else if (typeof next !== 'object' || next === null) {
      throw new InputError(`${what}: '${step}' is ${JSON.stringify(next)}; expected an object`);
    }
    place = place[step] as Record<string, unknown>;
  }
  place[last] = value;
  return copy;
}

/** A value of the command line: JSON, or else a text. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
