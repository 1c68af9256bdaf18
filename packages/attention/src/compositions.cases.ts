import type { ParamStore } from '@headwise/core';
import { Dropout, RMSNorm } from '@headwise/layers';
import {
  AlibiPosition,
  type AttentionPosition,
  noPosition,
  RotaryPosition,
  ShawPosition,
  T5Position,
  TransformerXLPosition,
} from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';
import {
  type AttentionLayerOptions,
  additiveScore,
  dotProductScore,
  generalScore,
  type Mask,
  masks,
  plainAdditiveScore,
  type ScoreKind,
  scaledDotProductScore,
  softCapMod,
  temperatureMod,
} from './index.js';

export const heads = 4;
export const headDim = 8;
export const dim = 24;
const batch = 2;

export const scores: Record<string, ScoreKind> = {
  'scaled dot product': scaledDotProductScore,
  'dot product': dotProductScore,
  general: generalScore,
  additive: additiveScore,
  'plain additive, none': plainAdditiveScore(),
  'plain additive, silu': plainAdditiveScore('silu'),
};

export const positions: Record<string, (params: ParamStore) => AttentionPosition> = {
  none: () => noPosition,
  rotary: () => new RotaryPosition({ headDim }),
  'rotary, interleaved, partial': () =>
    new RotaryPosition({ headDim, rotaryDim: 4, layout: 'interleaved' }),
  alibi: () => new AlibiPosition({ heads }),
  t5: (params) => new T5Position(params, { heads, buckets: 8, maxDistance: 20 }),
  't5, bidirectional': (params) =>
    new T5Position(params, { heads, buckets: 12, maxDistance: 30, bidirectional: true }),
  'shaw, keys': (params) => new ShawPosition(params, { headDim, clip: 5, values: false }),
  shaw: (params) => new ShawPosition(params, { headDim, clip: 3 }),
  'transformer-xl': (params) => new TransformerXLPosition(params, { dim: 12, heads, headDim }),
};

/** A mask for some numbers of queries and keys. */
export const maskKinds: Record<string, (queries: number, keys: number) => Mask> = {
  none: () => masks.none,
  causal: () => masks.causal,
  'and(causal, slidingWindow)': () => masks.and(masks.causal, masks.slidingWindow(9)),
  'or(causal, prefix)': () => masks.or(masks.causal, masks.prefix(5)),
  padding: (_queries, keys) => masks.padding(tf.tensor1d([keys, Math.ceil(keys / 2)], 'int32')),
  'and(causal, documents)': (_queries, keys) => {
    const ids = Array.from({ length: batch * keys }, (_, i) => Math.floor((i % keys) / 10));
    return masks.and(masks.causal, masks.documents(tf.tensor2d(ids, [batch, keys], 'int32')));
  },
  'dense, added': (queries, keys) =>
    masks.dense(tf.randomNormal([1, heads, queries, keys], 0, 1, 'float32', 3)),
  'dense, seen': (queries, keys) =>
    masks.dense(tf.randomUniform([batch, 1, queries, keys], 0, 1, 'float32', 4).greater(0.3)),
};

/** How heads share keys; cross-attention looks at another sequence, of another length and width. */
export const layouts: Record<string, Partial<AttentionLayerOptions>> = {
  'multi-head': {},
  'grouped-query': { kvHeads: 2 },
  'multi-query': { kvHeads: 1 },
  cross: { kvDim: 10 },
};

/** What composes with everything else; taken in turn. */
export const modifiers: Record<string, (params: ParamStore) => Partial<AttentionLayerOptions>> = {
  plain: () => ({}),
  'soft-cap': () => ({ mods: [softCapMod(3)] }),
  temperature: (params) => ({
    mods: [
      temperatureMod(
        params.get('temperature', [heads], (shape) => new Float32Array(shape[0]!).fill(1.5)),
      ),
    ],
  }),
  sinks: () => ({ sinks: true }),
  dropout: () => ({ dropout: new Dropout({ rate: 0.3 }) }),
  'qk-norm': () => ({ qkNorm: (params, dim) => new RMSNorm(params, { dim }) }),
};

/** One of each. */
export interface Composition {
  score: string;
  position: string;
  mask: string;
  layout: string;
}

const products = /^(rotary|shaw|transformer-xl)/;

/** Why some parts make no sense together, as the layer says it; undefined: they do. */
export function nonsense({
  score,
  position,
  layout,
}: Omit<Composition, 'mask'>): string | undefined {
  if (layout === 'cross' && position !== 'none') {
    const name = nameOf(position);
    return `attention: queries and keys of cross-attention have no common axis for '${name}' positions`;
  }
  if (/additive/.test(score) && products.test(position)) {
    const name = nameOf(position);
    return `attention: the score '${score}' is not a product of queries and keys, which '${name}' positions work on`;
  }
  return undefined;
}

const nameOf = (position: string) => position.split(',')[0]!;

const axes = { score: scores, position: positions, mask: maskKinds, layout: layouts };
type Axis = keyof typeof axes;
const names = Object.keys(axes) as Axis[];

/** Everything that makes sense. */
function everything(): Composition[] {
  let all: Partial<Composition>[] = [{}];
  for (const axis of names) {
    all = all.flatMap((some) => Object.keys(axes[axis]).map((one) => ({ ...some, [axis]: one })));
  }
  return (all as Composition[]).filter((composition) => !nonsense(composition));
}

const pairsOf = (composition: Composition): string[] =>
  names.flatMap((first, i) =>
    names
      .slice(i + 1)
      .map((second) => `${first} ${composition[first]} / ${second} ${composition[second]}`),
  );

/** The fewest compositions, or nearly, in which every pair that makes sense occurs. */
export function everyPair(): Composition[] {
  const all = everything();
  const missing = new Set(all.flatMap(pairsOf));
  const chosen: Composition[] = [];
  while (missing.size > 0) {
    let best = all[0]!;
    let most = 0;
    for (const composition of all) {
      const gain = pairsOf(composition).filter((pair) => missing.has(pair)).length;
      if (gain > most) [best, most] = [composition, gain];
    }
    chosen.push(best);
    for (const pair of pairsOf(best)) missing.delete(pair);
  }
  return chosen;
}

/** A length for each composition, so that every part is run with every length; the rarest parts choose first. */
export function lengthsFor(
  compositions: readonly Composition[],
  lengths: readonly number[],
): number[] {
  const left = new Map<string, number>();
  const parts = (composition: Composition) => names.map((axis) => `${axis} ${composition[axis]}`);
  for (const part of compositions.flatMap(parts)) left.set(part, (left.get(part) ?? 0) + 1);
  const met = new Set<string>();
  return compositions.map((composition, i) => {
    const gain = (length: number) =>
      parts(composition)
        .filter((part) => !met.has(`${part} / ${length}`))
        .reduce((sum, part) => sum + 1 / left.get(part)!, 0);
    const turned = lengths.map((_, n) => lengths[(i + n) % lengths.length]!);
    const best = turned.reduce((best, length) => (gain(length) > gain(best) ? length : best));
    for (const part of parts(composition)) {
      met.add(`${part} / ${best}`);
      left.set(part, left.get(part)! - 1);
    }
    return best;
  });
}

/** Scores by positions, as a table of Markdown: what runs, and how. */
export function compositionTable(): string {
  const columns = Object.keys(positions).filter((name) => name !== 'rotary, interleaved, partial');
  const cell = (score: string, position: string) => {
    if (nonsense({ score, position, layout: 'multi-head' })) return '–';
    if (position === 'shaw') return 'chunks, plain';
    if (/additive/.test(score) || position === 'transformer-xl') return 'chunks';
    return 'fused';
  };
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(['score', ...columns]),
    line(['---', ...columns.map(() => '---')]),
    ...Object.keys(scores).map((score) => line([score, ...columns.map((p) => cell(score, p))])),
  ].join('\n');
}

/** Every message of what makes no sense, once. */
export function refusals(): string[] {
  const found = new Set<string>();
  for (const layout of ['multi-head', 'cross']) {
    for (const score of Object.keys(scores)) {
      for (const position of Object.keys(positions)) {
        const message = nonsense({ score, position, layout });
        if (message) found.add(message);
      }
    }
  }
  return [...found];
}
