import type { RowBroadcast } from '../row-broadcast.js';
import type { Value } from '../score/graph.js';
import type { PairLayout } from '../score/pair-layout.js';
import { lengthOf, type Pairs, pairsOf, type RowStats } from '../score/pairs.js';
import type { Score } from '../score/score.js';
import { each } from '../text.js';

/** WGSL for the pairs of a lane's rows with all rows of one tile; see `Pairs` for the variables in scope. */
export interface Tile {
  /** The per-pair texts. */
  readonly pairs: Pairs;
  /** Declares the private arrays `s_all`, `d_all`, `keep_all` of a looped tile. */
  readonly arrays: string;
  /** Replaces the products `s0`, `s1` … with masked scores. */
  readonly forward: string;
  /** Emit after `forward`: multiplies the weight `p{i}` by its dropout factor, where there is dropout. */
  drop(i: number): string;
  /** From the products `s{i}` and `d{i} = dY Vᵀ`: declares the weights `p{i}` and the products' gradients `g{i}`. */
  readonly backward: string;
  /** Instead of `backward`: a loop over the pairs; the body reads `ds0`, the score gradient of pair 0 of its `Pairs`. */
  oneByOne(pair: (pairs: Pairs) => string): string;
}

/** Bounds of a tile's rows, and the statistics of its pairs. */
export interface TileBounds {
  /** WGSL (`u32`) of the end of the rows, exclusive. */
  limit: string;
  /** WGSL of the query's statistics for a pair with tile row `i`. */
  stats(i: number): RowStats;
  /** WGSL that declares what `stats` reads: for tile row `i`, and in a loop over `i` as row 0. */
  declareStats?: { at(i: number): string; inLoop: string } | undefined;
}

/** The broadcast inside a loop over the tile's rows: one row, at offset `i`. */
const inLoop: RowBroadcast = {
  index: () => 'i',
  declare: (name, _count, of) => `let ${name}_0 = ${of('i', 0)};`,
  read: (name) => `${name}_0`,
};

/** Operations of a whole tile beyond which drivers take too long to compile the unrolled pairs. */
const longest = 512;

/** Emits the pairs of a tile unrolled; a long score is emitted once, in a loop over products in private arrays. */
export function tileOf(
  score: Score,
  layout: PairLayout,
  values: readonly Value[],
  { limit, stats, declareStats }: TileBounds,
): Tile {
  const { count } = layout;
  const looped = pairsOf(score, { ...layout, broadcast: inLoop, count: 1 }, values);
  const all = (text: (i: number) => string) => each(count, text);
  const inBounds = (i: number) => `tile_start + ${i}u < ${limit}`;
  const array = (name: string) => `var<private> ${name}: array<Rows, ${count}>;`;
  // The end is not a constant: an unrolled loop would be as long as what it replaces.
  const loop = (body: string) => /* wgsl */ `
    for (var i = 0u; i < min(${count}u, ${limit} - tile_start); i++) {
      ${looped.tileValues}
      var s0 = s_all[i];
      ${body}
    }`;
  const oneByOne = (pair: (pairs: Pairs) => string) => /* wgsl */ `
    ${all((i) => `s_all[${i}] = s${i}; d_all[${i}] = d${i};`)}
    ${loop(`let d0 = d_all[i]; ${declareStats?.inLoop ?? ''} ${looped.backward(0, 'true', stats(0))} ${pair(looped)}`)}`;
  const keep = score.dropout ? 'keep_all[i] = keep0;' : '';
  const arrays = ['s_all', 'd_all', ...(keep ? ['keep_all'] : [])].map(array).join('\n');

  if (count * lengthOf(score, layout, values) > longest) {
    return {
      pairs: looped,
      arrays,
      forward: /* wgsl */ `
        ${all((i) => `s_all[${i}] = s${i};`)}
        ${loop(`${looped.forward(0, 'true')} s_all[i] = s0; ${keep}`)}
        ${all((i) => `s${i} = select(Rows(lowest), s_all[${i}], ${inBounds(i)});`)}`,
      drop: (i) => (keep ? `p${i} *= keep_all[${i}];` : ''),
      backward: /* wgsl */ `
        ${oneByOne(() => 's_all[i] = p0; d_all[i] = g0;')}
        ${all(
          (i) => /* wgsl */ `
            let p${i} = select(Rows(), s_all[${i}], ${inBounds(i)});
            let g${i} = select(Rows(), d_all[${i}], ${inBounds(i)});`,
        )}`,
      oneByOne,
    };
  }
  const pairs = pairsOf(score, layout, values);
  return {
    pairs,
    arrays,
    forward: `${pairs.tileValues} ${all((i) => pairs.forward(i, inBounds(i)))}`,
    drop: pairs.drop,
    backward: `${pairs.tileValues} ${all((i) => `${declareStats?.at(i) ?? ''} ${pairs.backward(i, inBounds(i), stats(i))}`)}`,
    oneByOne,
  };
}
