import type { Codec } from '../../route.js';
import type { Head, Inspection } from '../../worker/inspection.js';

export const noHeads: readonly Head[] = [];

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

/** The selected head: the wanted one if the model has it, else the first of the last layer. */
export function chosenHead(
  inspection: Inspection | undefined,
  wanted: Head | undefined,
): Head | undefined {
  const maps = inspection?.maps ?? [];
  const has = maps.some(({ layer, heads }) => layer === wanted?.layer && wanted.head < heads);
  const last = maps.at(-1);
  return has ? wanted : last && { layer: last.layer, head: 0 };
}

/** Heads in an address: `blocks.0.attn/1`. */
export const asHead: Codec<Head | undefined> = {
  write: (head) => (head ? `${head.layer}/${head.head}` : ''),
  read(text) {
    const [, layer, head] = /^([\w.]+)\/(\d{1,4})$/.exec(text) ?? [];
    return layer === undefined ? undefined : { layer, head: Number(head) };
  },
};

export const asHeads: Codec<readonly Head[]> = {
  write: (heads) => heads.map(asHead.write).join(),
  read: (text) => text.split(',').flatMap((one) => asHead.read(one) ?? []),
};
