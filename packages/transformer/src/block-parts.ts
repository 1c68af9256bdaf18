import { checkLayer, type Layer } from '@headwise/core';

/**
 * Checks that the parts of a block are layers, and finds where the block's parameters lie.
 *
 * @param name of the block in messages
 * @param parts by name; those that are undefined are optional ones
 * @param path what the user gave
 * @returns the given path, else what the paths of the parts have in common
 * @throws InputError naming the part, what was given and what was expected
 */
export function blockPath(
  name: string,
  parts: Readonly<Record<string, Pick<Layer, 'path'> | undefined>>,
  path: string | undefined,
): string {
  for (const [part, layer] of Object.entries(parts)) checkLayer(`${name}: ${part}`, layer);
  if (path !== undefined) return path;
  const found = Object.values(parts).flatMap((layer) => layer?.path || []);
  return found.length === 0 ? '' : commonParent(found);
}

/** `blocks.0` of `blocks.0.norm1` and `blocks.0.attn`. */
function commonParent(paths: readonly string[]): string {
  const [first, ...others] = paths.map((path) => path.split('.').slice(0, -1));
  const end = first!.findIndex((part, i) => others.some((other) => other[i] !== part));
  return first!.slice(0, end < 0 ? first!.length : end).join('.');
}
