import { InputError } from '@headwise/core';
import { argsOf, type Node } from './expression/node.js';
import type { Mask } from './masks/mask.js';
import { modified, type ScoreMod } from './mods.js';

/** An axis of a table that the head, or the batch row, looks up in. */
interface Asked {
  shape: readonly number[];
  axis: number;
  of: 'b' | 'h';
}

const known = new WeakMap<Node, Asked[]>();

/**
 * Throws if a table's head or batch axis has another size than attention's; reads out of range would be clamped.
 *
 * An axis of 1 is the same for all.
 *
 * @param op names what was called in the message
 * @throws InputError with the table's shape and the number of heads or batch rows
 */
export function checkTables(
  op: string,
  { mask, mods = [] }: { mask?: Mask | undefined; mods?: readonly ScoreMod[] | undefined },
  { batch, heads }: { batch: number; heads: number },
): void {
  const score =
    mask || mods.length > 0 ? modified(mods, mask ?? { name: 'none', inputs: [] }) : undefined;
  const counts = { b: [batch, 'batch rows'], h: [heads, 'heads'] } as const;
  for (const node of [score?.node, mask?.condition?.node]) {
    for (const { shape, axis, of } of node ? askedOf(node) : []) {
      const [count, what] = counts[of];
      if (shape[axis] === count || shape[axis] === 1) continue;
      throw new InputError(
        `${op}: a table of shape [${shape.join(', ')}] is looked up by ${of} on axis ${axis}; expected a size of ${count}, the number of ${what}, or 1`,
      );
    }
  }
}

function askedOf(root: Node): Asked[] {
  const before = known.get(root);
  if (before) return before;
  const asked: Asked[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    const args = argsOf(node);
    if (node.kind === 'lookup') {
      for (const [axis, index] of args.entries()) {
        if (index.kind !== 'variable' || (index.name !== 'h' && index.name !== 'b')) continue;
        asked.push({ shape: node.table.tensor.shape, axis, of: index.name });
      }
    }
    args.forEach(visit);
  };
  visit(root);
  known.set(root, asked);
  return asked;
}
