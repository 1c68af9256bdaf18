import type { Fields } from '../fields.js';
import { type Finder, Matches, matchesIn, readFinder } from '../text/pattern.js';
import type { Pieces } from '../text/pieces.js';
import type { PreTokenizer } from './pre-tokenizer.js';

/** What becomes of a separator. */
export type SplitBehavior =
  | 'removed'
  | 'isolated'
  | 'merged-with-previous'
  | 'merged-with-next'
  | 'contiguous';

const names = [
  'Removed',
  'Isolated',
  'MergedWithPrevious',
  'MergedWithNext',
  'Contiguous',
] as const;

/** Reads a `behavior`, such as `MergedWithNext`. */
export function readBehavior(fields: Fields, missing?: (typeof names)[number]): SplitBehavior {
  const name = fields.oneOf('behavior', names, missing);
  return name.replaceAll(/(?<=.)[A-Z]/g, (start) => `-${start}`).toLowerCase() as SplitBehavior;
}

/** Cuts at the matches of a pattern. */
export function readSplit(fields: Fields): PreTokenizer {
  const finder = readFinder(fields, 'pattern');
  const behavior = readBehavior(fields);
  const invert = fields.boolean('invert', false);
  return { split: (pieces) => splitPieces(pieces, finder, behavior, invert) };
}

/**
 * Cuts each piece at the matches of a finder.
 *
 * @param invert the separators are what lies between matches; two matches that touch stay two parts
 */
export function splitPieces(
  pieces: Pieces,
  finder: Finder,
  behavior: SplitBehavior,
  invert = false,
): void {
  const { text } = pieces;
  pieces.split((start, end, bounds) => {
    if (behavior === 'isolated') cutIsolated(finder, text.units, start, end, bounds);
    else cut(partsOf(finder, text.units, start, end, invert), start, behavior, bounds);
  });
}

function cutIsolated(
  finder: Finder,
  units: Uint16Array,
  start: number,
  end: number,
  bounds: number[],
): void {
  let at = start;
  const { scan } = finder;
  if (scan) {
    while (at < end) {
      const to = scan(units, at, end);
      bounds.push(at, to);
      at = to;
    }
    return;
  }
  for (const matches = new Matches(finder, units, start, end); matches.next(); at = matches.end) {
    if (matches.start > at) bounds.push(at, matches.start);
    if (matches.end > matches.start) bounds.push(matches.start, matches.end);
  }
  if (at < end) bounds.push(at, end);
}

/** The parts of a piece, separators and what lies between, and which of them are separators. */
interface Parts {
  ends: number[];
  separators: boolean[];
}

function partsOf(
  finder: Finder,
  units: Uint16Array,
  start: number,
  end: number,
  invert: boolean,
): Parts {
  const parts: Parts = { ends: [], separators: [] };
  let at = start;
  const add = (to: number, match: boolean) => {
    parts.ends.push(to);
    parts.separators.push(match !== invert);
    at = to;
  };
  for (const [matchStart, matchEnd] of matchesIn(finder, units, start, end)) {
    if (matchStart > at) add(matchStart, false);
    add(matchEnd, true);
  }
  if (at < end) add(end, false);
  return parts;
}

function cut(
  { ends, separators }: Parts,
  start: number,
  behavior: SplitBehavior,
  bounds: number[],
): void {
  let from = start;
  for (let i = 0; i < ends.length; i++) {
    const to = ends[i]!;
    const separator = separators[i]!;
    const next = separators[i + 1];
    // Whether this part and the one behind it are one piece.
    const joins =
      (behavior === 'merged-with-previous' && !separator && next === true) ||
      (behavior === 'merged-with-next' && separator && next === false) ||
      (behavior === 'contiguous' && separator === next);
    if (joins) continue;
    if (to > from && !(behavior === 'removed' && separator)) bounds.push(from, to);
    from = to;
  }
}
