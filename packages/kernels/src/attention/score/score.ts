import type * as tf from '@tensorflow/tfjs';
import type { WeightDropout } from '../dropout.js';
import { h } from '../expression/expression.js';
import { table } from '../expression/table.js';
import type { Mask } from '../masks/mask.js';
import { modified, type ScoreMod } from '../mods.js';
import { derivative } from './derivative.js';
import { Graph, needed, type Value } from './graph.js';
import { rangesOf } from './ranges.js';

/** A look-up in a float table, by which a score has a derivative. */
export interface Site {
  readonly table: number;
  /** The element that is looked up. */
  readonly place: Value;
  /** The derivative of the score by it. */
  readonly factor: Value;
}

/** What happens between the product of a query and a key and the weight of the value. */
export interface Score {
  readonly graph: Graph;
  /** Tells scores apart whose programs differ. */
  readonly key: string;
  /** The score of a pair. */
  readonly score: Value;
  /** Its derivative by the product. */
  readonly slope: Value;
  /** Holds where the query sees the key; undefined: everywhere. */
  readonly visible: Value | undefined;
  /** The score of a head's sink. */
  readonly sink: Value | undefined;
  readonly dropout: WeightDropout | undefined;
  readonly sites: readonly Site[];
}

export interface ScoreOptions {
  mask: Mask;
  mods: readonly ScoreMod[];
  scale: number;
  sinks?: tf.Tensor | undefined;
  dropout?: WeightDropout | undefined;
}

/** Turns a mask, score mods and the rest of what a call asks for into values of one graph. */
export function scoreOf({ mask, mods, scale, sinks, dropout }: ScoreOptions): Score {
  const graph = new Graph(scale);
  const changed = modified(mods, mask);
  const score = changed ? graph.of(changed.node) : graph.score;
  const visible = mask.condition && graph.of(mask.condition.node);
  const sink = sinks && graph.of(table(sinks).at(h).node);
  const slope = derivative(graph, score, graph.product) ?? graph.literal('float', 0);
  const sites = sitesOf(graph, score);
  const ranges = visible ? rangesOf(graph, visible) : [];
  for (const { table } of ranges) graph.range(table);
  const roots = [score, slope, visible, sink].map((value) => value?.id ?? '');
  const key = `${graph.key}|${roots}|${dropout ? 'dropout' : ''}`;
  return { graph, key, score, slope, visible, sink, dropout, sites };
}

function sitesOf(graph: Graph, score: Value): Site[] {
  return needed(graph, [score]).flatMap((value) => {
    if (value.op !== 'load' || value.type !== 'float') return [];
    const factor = derivative(graph, score, value);
    return factor ? { table: Number(value.text), place: value.args[0]!, factor } : [];
  });
}
