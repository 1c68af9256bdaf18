import type { Head, Inspection } from '../../worker/inspection.js';

export function isHead(heads: readonly Head[], { layer, head }: Head): boolean {
  return heads.some((one) => one.layer === layer && one.head === head);
}

/** The weights of a head, `[T, T]` row by row; empty where the model has no such head. */
export function mapOf({ maps, tokens }: Inspection, { layer, head }: Head): Float32Array {
  const size = tokens.length ** 2;
  const map = maps.find((one) => one.layer === layer);
  return map ? map.values.subarray(head * size, (head + 1) * size) : new Float32Array(0);
}

/** A head's name: the number of its layer, and its own. */
export function nameOf({ maps }: Inspection, { layer, head }: Head): string {
  return `Layer ${maps.findIndex((one) => one.layer === layer)}, head ${head}`;
}
