import type * as tf from '@tensorflow/tfjs';
import {
  Condition,
  FloatExpression,
  IntExpression,
  q,
} from '../attention/expression/expression.js';
import type { Node, Table } from '../attention/expression/node.js';
import { substitute, tablesOf } from '../attention/expression/substitute.js';
import { FloatTable, IntTable } from '../attention/expression/table.js';
import type { Mask } from '../attention/masks/mask.js';
import { modified, type ScoreMod, scoreMod } from '../attention/mods.js';

/** A mask and mods that can be moved to a chunk of the queries, and made to read other tensors. */
export class Scoring {
  readonly #mask: Mask;
  readonly #mods: readonly ScoreMod[];
  readonly #score: Node | undefined;
  readonly #shift: number;
  readonly #tables: readonly Table[];

  /** @param shift the place of the very first query on the axis of the keys */
  constructor(mask: Mask, mods: readonly ScoreMod[], shift: number) {
    this.#mask = mask;
    this.#mods = mods;
    this.#score = modified(mods, mask)?.node;
    this.#shift = shift;
    const nodes = [this.#score, mask.condition?.node];
    this.#tables = tablesOf(nodes.filter((node) => node !== undefined));
  }

  /** What mask and mods read. */
  get tables(): readonly tf.Tensor[] {
    return this.#tables.map(({ tensor }) => tensor);
  }

  /**
   * The mask and the mods, other mods before them, for queries that stand `moved` places further
   * than their rows say.
   *
   * @param shift the place of the first of them, were they alone
   * @param tensors what to read in the place of `tables`
   */
  at(
    moved: number,
    shift: number,
    before: readonly ScoreMod[],
    tensors: readonly tf.Tensor[],
  ): { mask: Mask; mods: readonly ScoreMod[] } {
    // Only what reads a table may depend on the rows themselves.
    const same =
      shift === this.#shift && this.#tables.every((table, i) => table.tensor === tensors[i]);
    if (moved === 0 && (same || this.#tables.length === 0))
      return { mask: this.#mask, mods: [...before, ...this.#mods] };
    const tables = new Map(this.#tables.map((table, i) => [table, reading(table, tensors[i]!)]));
    const place = q.add(moved);
    const variables = { q: place.node, shift: IntExpression.nodeOf(this.#shift) };
    const mod = scoreMod((product, b, h, _q, k) => {
      const score = before.reduce((score, mod) => mod.of(score, b, h, place, k), product);
      if (!this.#score) return score;
      const moved = { tables, variables: { ...variables, score: score.node } };
      return new FloatExpression(substitute(this.#score, moved));
    });
    const { name, condition } = this.#mask;
    const moving = condition && substitute(condition.node, { tables, variables });
    return {
      mask: { name, ...(moving ? { condition: new Condition(moving) } : {}), inputs: [] },
      mods: before.length > 0 || this.#score ? [mod] : [],
    };
  }
}

const reading = (table: Table, tensor: tf.Tensor): Table =>
  table.type === 'float' ? new FloatTable(tensor) : new IntTable(tensor);
