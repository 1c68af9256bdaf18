import type { Mask } from '../masks/mask.js';
import { modified, type ScoreMod } from '../mods.js';
import { Graph, needed, type Value } from './graph.js';
import { integerDivision, loadText, operationText } from './operations.js';

/** The score of a query–key pair as WGSL functions of its positions, for kernels that visit pairs one by one. */
export interface PairFunctions {
  readonly graph: Graph;
  readonly score: Value;
  /** Undefined: every pair is. */
  readonly visible: Value | undefined;
  /** The part of the program's key: equal for scores that differ in numbers and sizes only. */
  readonly key: string;
  /**
   * Declares `score_at(product: f32, b: i32, h: i32, q: i32, k: i32, shift: i32) -> f32`, the score from the unscaled
   * product, and `visible_at(b, h, q, k, shift) -> bool`; `shift` is the position of the first query.
   *
   * In scope: `params`, with the graph's numbers and the offsets of its tables, and `tables` where it reads one.
   */
  wgsl(): string;
}

/** Builds the functions from a mask, score mods and the scale of products. */
export function pairFunctions({
  mask,
  mods,
  scale,
}: {
  mask: Mask;
  mods: readonly ScoreMod[];
  scale: number;
}): PairFunctions {
  const graph = new Graph(scale);
  const changed = modified(mods, mask);
  const score = changed ? graph.of(changed.node) : graph.score;
  const condition = mask.condition && graph.of(mask.condition.node);
  const visible = condition ?? graph.literal('condition', 1);
  return {
    graph,
    score,
    visible: condition,
    key: `${graph.key}|${score.id}|${visible.id}`,
    // Emitted only when a program is compiled: the key is enough for one that exists.
    wgsl: () => {
      const pair = 'b: i32, h: i32, q: i32, k: i32, shift: i32';
      const functions = /* wgsl */ `
        fn score_at(product: f32, ${pair}) -> f32 { ${bodyOf(graph, score)} }
        fn visible_at(${pair}) -> bool { ${bodyOf(graph, visible)} }
      `;
      return functions.includes('floor_div_') ? integerDivision('one') + functions : functions;
    },
  };
}

/** Statements that compute a value and return it. */
function bodyOf(graph: Graph, result: Value): string {
  const text = (value: Value): string => {
    if (value.text === 'params.shift') return 'shift';
    if (value.op === 'param' || value.op === 'literal') return value.text;
    return ['product', 'b', 'h', 'q', 'k'].includes(value.op) ? value.op : `value${value.id}`;
  };
  const lines = needed(graph, [result]).flatMap((value) => {
    if (!text(value).startsWith('value')) return [];
    const args = value.args.map(text);
    const made =
      value.op === 'load' ? loadText(value, args[0]!) : operationText(value, 'one', args);
    return `let value${value.id} = ${made};`;
  });
  return `${lines.join(' ')} return ${text(result)};`;
}
