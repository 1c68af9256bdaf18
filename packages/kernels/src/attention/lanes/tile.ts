import type { Others } from '../others.js';
import type { Value } from '../score/graph.js';
import { type Layout, lengthOf, type Pairs, pairsOf, type RowStats } from '../score/pairs.js';
import type { Score } from '../score/score.js';
import { each } from '../text.js';

/** WGSL of the pairs of a lane's rows with all rows that are broadcast at once. */
export interface Tile {
  /** Texts of `Pairs`. */
  readonly pairs: Pairs;
  /** Declares what lanes keep of pairs. */
  readonly arrays: string;
  /** Makes the products `s0`, `s1` … scores. */
  readonly forward: string;
  /** Behind `forward`: drops weight `p{i}`, where weights are dropped. */
  drop(i: number): string;
  /** Makes of the products and of `d0` … the weights `p0` … and the gradients of the products, `g0` … */
  readonly backward: string;
  /** Instead of `backward`: does something with `ds0` of one pair after the other, pair 0 of other `Pairs`. */
  oneByOne(pair: (pairs: Pairs) => string): string;
}

/** The rows that a lane meets. */
export interface Met {
  /** WGSL of the number behind the last one. */
  limit: string;
  /** Of a pair with row `i`. */
  stats(i: number): RowStats;
  /** Declares what `stats` speaks of: of row `i`, and of the row `i` of a loop as the first. */
  declare?: { at(i: number): string; inLoop: string };
}

/** One row at a time, whose number is `i`. */
const inLoop: Others = {
  index: () => 'i',
  declare: (name, _count, of) => `let ${name}_0 = ${of('i', 0)};`,
  take: (name) => `${name}_0`,
};

/** Operations for all pairs together beyond which drivers take too long to compile them one by one. */
const longest = 512;

/** Writes pairs out one by one; where that would be long, once, in a loop over what is kept of them. */
export function tileOf(
  score: Score,
  layout: Layout,
  values: readonly Value[],
  { limit, stats, declare }: Met,
): Tile {
  const { count } = layout;
  const looped = pairsOf(score, { ...layout, others: inLoop, count: 1 }, values);
  const all = (text: (i: number) => string) => each(count, text);
  const met = (i: number) => `first_other + ${i}u < ${limit}`;
  const array = (name: string) => `var<private> ${name}: array<Rows, ${count}>;`;
  // The end is no constant: a loop that is unrolled would be as long as what it replaces.
  const loop = (body: string) => /* wgsl */ `
    for (var i = 0u; i < min(${count}u, ${limit} - first_other); i++) {
      ${looped.other}
      var s0 = s_all[i];
      ${body}
    }`;
  const oneByOne = (pair: (pairs: Pairs) => string) => /* wgsl */ `
    ${all((i) => `s_all[${i}] = s${i}; d_all[${i}] = d${i};`)}
    ${loop(`let d0 = d_all[i]; ${declare?.inLoop ?? ''} ${looped.backward(0, 'true', stats(0))} ${pair(looped)}`)}`;
  const kept = score.dropout ? 'kept_all[i] = kept0;' : '';
  const arrays = ['s_all', 'd_all', ...(kept ? ['kept_all'] : [])].map(array).join('\n');

  if (count * lengthOf(score, layout, values) > longest) {
    return {
      pairs: looped,
      arrays,
      forward: /* wgsl */ `
        ${all((i) => `s_all[${i}] = s${i};`)}
        ${loop(`${looped.forward(0, 'true')} s_all[i] = s0; ${kept}`)}
        ${all((i) => `s${i} = select(Rows(lowest), s_all[${i}], ${met(i)});`)}`,
      drop: (i) => (kept ? `p${i} *= kept_all[${i}];` : ''),
      backward: /* wgsl */ `
        ${oneByOne(() => 's_all[i] = p0; d_all[i] = g0;')}
        ${all(
          (i) => /* wgsl */ `
            let p${i} = select(Rows(), s_all[${i}], ${met(i)});
            let g${i} = select(Rows(), d_all[${i}], ${met(i)});`,
        )}`,
      oneByOne,
    };
  }
  const pairs = pairsOf(score, layout, values);
  return {
    pairs,
    arrays,
    forward: `${pairs.other} ${all((i) => pairs.forward(i, met(i)))}`,
    drop: pairs.drop,
    backward: `${pairs.other} ${all((i) => `${declare?.at(i) ?? ''} ${pairs.backward(i, met(i), stats(i))}`)}`,
    oneByOne,
  };
}
