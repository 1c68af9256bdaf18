import type * as tf from '@tensorflow/tfjs';
import type { WeightDropout } from '../dropout.js';
import { h } from '../expression/expression.js';
import { scoreTable } from '../expression/table.js';
import type { Mask } from '../masks/mask.js';
import { modified, type ScoreMod } from '../mods.js';
import { derivative } from './derivative.js';
import { Graph, needed, type Value } from './graph.js';
import { rangesOf } from './ranges.js';

/** A look-up of a float table in a score, with the derivative of the score by the element that it reads. */
export interface TableLookup {
  /** The index of the table in its graph. */
  readonly table: number;
  /** The index of the element in the table. */
  readonly element: Value;
  /** `∂score / ∂table[element]`. */
  readonly derivative: Value;
}

/** The score of a query–key pair as values of a graph: mods, mask, sink and dropout, with the derivatives. */
export interface Score {
  readonly graph: Graph;
  /** The part of the program's key: equal for scores that differ in numbers and sizes only. */
  readonly key: string;
  /** The score of a pair, before the softmax. */
  readonly score: Value;
  /** `∂score / ∂(q · k)`. */
  readonly slope: Value;
  /** The mask's condition: true where the query attends to the key; undefined: everywhere. */
  readonly visible: Value | undefined;
  /** The score of a head's sink. */
  readonly sink: Value | undefined;
  readonly dropout: WeightDropout | undefined;
  readonly lookups: readonly TableLookup[];
}

export interface ScoreOptions {
  mask: Mask;
  mods: readonly ScoreMod[];
  scale: number;
  sinks?: tf.Tensor | undefined;
  dropout?: WeightDropout | undefined;
}

/** Builds the score's graph from a mask, score mods, scale, sinks and dropout. */
export function scoreOf({ mask, mods, scale, sinks, dropout }: ScoreOptions): Score {
  const graph = new Graph(scale);
  const changed = modified(mods, mask);
  const score = changed ? graph.of(changed.node) : graph.score;
  const visible = mask.condition && graph.of(mask.condition.node);
  const sink = sinks && graph.of(scoreTable(sinks).at(h).node);
  const slope = derivative(graph, score, graph.product) ?? graph.literal('float', 0);
  const lookups = tableLookups(graph, score);
  const ranges = visible ? rangesOf(graph, visible) : [];
  for (const { table } of ranges) graph.range(table);
  const roots = [score, slope, visible, sink].map((value) => value?.id ?? '');
  const key = `${graph.key}|${roots}|${dropout ? 'dropout' : ''}`;
  return { graph, key, score, slope, visible, sink, dropout, lookups };
}

function tableLookups(graph: Graph, score: Value): TableLookup[] {
  return needed(graph, [score]).flatMap((value) => {
    if (value.op !== 'load' || value.type !== 'float') return [];
    const slope = derivative(graph, score, value);
    return slope ? { table: Number(value.text), element: value.args[0]!, derivative: slope } : [];
  });
}
