import { InputError, type ParamStore } from '@headwise/core';
import type { Matrix } from '@headwise/core/internal';

/** Whether nothing is chosen. */
export const isEmpty = (choice: RegExp | readonly string[]): boolean =>
  Array.isArray(choice) && choice.length === 0;

/** Those of some paths that are chosen, by a pattern or one by one. */
export function chosen(
  choice: RegExp | readonly string[],
  paths: string[],
  none: string,
): string[] {
  const found =
    choice instanceof RegExp
      ? paths.filter((path) => matches(choice, path))
      : choice.filter((path) => paths.includes(path));
  const all = choice instanceof RegExp ? found.length > 0 : found.length === choice.length;
  if (all && found.length > 0) return found;
  const missing =
    choice instanceof RegExp
      ? `${choice}`
      : `'${choice.find((path) => !paths.includes(path)) ?? ''}'`;
  throw new InputError(`LoRA: ${none} matches ${missing}; there are ${paths.join(', ')}`);
}

/** A pattern that is sticky or global starts at the beginning of every path. */
function matches(pattern: RegExp, path: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(path);
}

/** The linear maps of a model with their weights, by the path of the map; those of experts take no updates. */
export function linearMaps(params: ParamStore): [string, Matrix][] {
  return Object.entries(params.matrices())
    .filter(([, { table, routed }]) => !table && !routed)
    .map(([path, matrix]) => [path.slice(0, path.lastIndexOf('.')), matrix]);
}

/** The sizes of a linear map's weight. */
export function sizesOf({ variable, packed, layout }: Matrix): [inner: number, out: number] {
  const [first, second] = (variable ?? packed)!.shape as [number, number];
  return layout === 'in-out' ? [first, second] : [second, first];
}
