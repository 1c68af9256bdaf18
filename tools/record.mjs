import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

/**
 * Writes what a comparison found. Results of an earlier run stay where this one has none of their name, if versions, machine and bounds were
 * the same.
 *
 * @param file the record
 * @param about versions, bounds and whatever else the results depend on
 * @param results each with the name of its `model`
 */
export function record(file, about, results) {
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const { results: earlier = [], ...aboutBefore } = before;
  const names = new Set(results.map(({ model }) => model));
  const kept = isDeepStrictEqual(aboutBefore, JSON.parse(JSON.stringify(about)))
    ? earlier.filter(({ model }) => !names.has(model))
    : [];
  writeFileSync(file, `${JSON.stringify({ ...about, results: [...kept, ...results] }, null, 2)}\n`);
}
