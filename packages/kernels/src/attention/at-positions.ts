import { Condition, FloatExpression, type IntExpression } from './expression/expression.js';
import { substitute } from './expression/substitute.js';
import type { Mask } from './masks/mask.js';
import { modified, type ScoreMod, scoreMod } from './mods.js';

/** A mask and score mods. */
export interface Scoring {
  mask: Mask;
  mods: readonly ScoreMod[];
}

/** Positions of queries and keys that are not their places in the tensors of queries and keys. */
export interface Positions {
  /** The position of a query, from `b` and `row`. */
  q: IntExpression;
  /** The position of a key, from `b` and `k`. */
  k: IntExpression;
  /** The position of the first query, from `b`. */
  shift: IntExpression;
  /** Whether there is a key at a place, from `b` and `k`, that the query may see. */
  held: Condition;
}

/** A mask and mods for queries and keys at other positions; keys that are not held are hidden. */
export function atPositions({ mask, mods }: Scoring, { q, k, shift, held }: Positions): Scoring {
  const variables = { q: q.node, k: k.node, shift: shift.node };
  const tables = new Map();
  const score = modified(mods, mask)?.node;
  const moved = scoreMod((product) => {
    const given = { variables: { ...variables, score: product.node }, tables };
    return new FloatExpression(substitute(score!, given));
  });
  const condition =
    mask.condition && new Condition(substitute(mask.condition.node, { variables, tables }));
  return {
    mask: { name: mask.name, condition: condition ? held.and(condition) : held, inputs: [] },
    mods: score ? [moved] : [],
  };
}
