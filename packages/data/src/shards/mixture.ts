import { checkWhole, DataError } from '../errors.js';
import { keyedPermutation } from './keyed-permutation.js';

/** A source of a mixture. */
export interface MixtureSource {
  /** What it is called in errors. */
  readonly name: string;
  /** How many windows it has. */
  readonly windows: number;
  /** Its part of what is drawn, in proportion to the others' weights. */
  readonly weight: number;
}

/** A window of a mixture. */
export interface DrawnWindow {
  /** The number of its source. */
  readonly source: number;
  /** Its number in the source. */
  readonly window: number;
  /** How often the source's windows have all been drawn before. */
  readonly epoch: number;
}

/** Draws after which every source has been drawn by exactly its weight, to this precision. */
const period = 2 ** 16;

/** Orders of windows are unrelated to other numbers of a seed; sources count from here. */
const ordering = 1000;

/**
 * An endless sequence of windows of several sources with random access: the window at a position depends on the sources, the seed and
 * the position only.
 *
 * Of any beginning of the sequence a source has its weight to within one window; its own windows come each once an epoch, in a new
 * order each time. The table of one period, and a few keys, are held.
 *
 * @throws DataError where a source has no window, or a weight is not above 1/65,536 of all
 */
export function mixture(
  sources: readonly MixtureSource[],
  { seed = 0 }: { seed?: number | undefined } = {},
): (position: number) => DrawnWindow {
  checkWhole('seed', seed, 0);
  const quotas = quotasOf(sources);
  const { sourceAt, rankAt } = tableOf(quotas);
  const orders = sources.map(({ windows }, source) => {
    let epoch = -1;
    let order: (place: number) => number;
    return (wanted: number, place: number) => {
      if (wanted !== epoch) {
        order = keyedPermutation(windows, seed, wanted, ordering + source);
        epoch = wanted;
      }
      return order(place);
    };
  });
  return (position) => {
    checkWhole('position', position, 0);
    const slot = position % period;
    const source = sourceAt[slot]!;
    const drawn = Math.floor(position / period) * quotas[source]! + rankAt[slot]!;
    const { windows } = sources[source]!;
    const epoch = Math.floor(drawn / windows);
    return { source, window: orders[source]!(epoch, drawn % windows), epoch };
  };
}

/** How many draws of a period each source has: by largest remainder. */
function quotasOf(sources: readonly MixtureSource[]): number[] {
  if (sources.length === 0) throw new DataError('a mixture has no sources, expected at least one');
  for (const { name, windows, weight } of sources) {
    if (windows < 1) throw new DataError(`${name}: has no window, expected at least one`);
    if (!(weight > 0 && Number.isFinite(weight))) {
      throw new DataError(`${name}: weight is ${weight}, expected a number above 0`);
    }
  }
  const sum = sources.reduce((total, { weight }) => total + weight, 0);
  const exact = sources.map(({ weight }) => (period * weight) / sum);
  const quotas = exact.map(Math.floor);
  const left = period - quotas.reduce((total, quota) => total + quota, 0);
  const byRemainder = exact.map((_, i) => i).sort((a, b) => (exact[b]! % 1) - (exact[a]! % 1));
  for (const i of byRemainder.slice(0, left)) quotas[i]!++;
  const none = quotas.indexOf(0);
  if (none >= 0) {
    const { name, weight } = sources[none]!;
    throw new DataError(
      `${name}: weight is ${weight} of ${sum}, expected at least 1/${period} of all`,
    );
  }
  return quotas;
}

/** The source of each draw of a period, the one that is furthest behind its weight, and how many of its own came before. */
function tableOf(quotas: readonly number[]) {
  const sourceAt = new Uint16Array(period);
  const rankAt = new Uint32Array(period);
  const drawn = quotas.map(() => 0);
  for (let slot = 0; slot < period; slot++) {
    let [furthest, most] = [0, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < quotas.length; i++) {
      const behind = quotas[i]! * (slot + 1) - period * drawn[i]!;
      if (behind > most) [furthest, most] = [i, behind];
    }
    sourceAt[slot] = furthest;
    rankAt[slot] = drawn[furthest]!++;
  }
  return { sourceAt, rankAt };
}
