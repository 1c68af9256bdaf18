import { Fields, mismatch } from '../fields.js';
import { scannerOf } from '../pre-tokenizers/scanners.js';
import { Matcher } from '../regex/matcher.js';
import { codePointAt, sizeOf, stringToUnits } from './normalized-text.js';

/** Finds matches in code units, one after the other. */
export interface Finder {
  /** Where the match found last begins and ends. */
  matchStart: number;
  matchEnd: number;
  begin(units: Uint16Array, from: number, to: number): void;
  /** Looks for the first match at or after a place. */
  next(from: number): boolean;
}

/** Where to look for the next match: behind the last one, or a character further where that was empty. */
export function resume({ matchStart, matchEnd }: Finder, units: Uint16Array, to: number): number {
  if (matchEnd > matchStart) return matchEnd;
  return matchEnd < to ? matchEnd + sizeOf(codePointAt(units, matchEnd, to)) : matchEnd + 1;
}

/** All matches in some code units. */
export function matchesIn(
  finder: Finder,
  units: Uint16Array,
  from: number,
  to: number,
): [start: number, end: number][] {
  const matches: [number, number][] = [];
  finder.begin(units, from, to);
  for (let at = from; finder.next(at); at = resume(finder, units, to)) {
    matches.push([finder.matchStart, finder.matchEnd]);
  }
  return matches;
}

/**
 * Reads `{ "String": … }` or `{ "Regex": … }`.
 *
 * @throws TokenizerError naming the field, and what is wrong with the pattern
 */
export function readFinder(fields: Fields, name: string): Finder {
  const value = fields.value(name);
  // Of old, a pattern was only ever a regular expression.
  if (typeof value === 'string') return literalFinder(value);
  const pattern = new Fields(value, `${fields.path}.${name}`);
  if (pattern.has('String')) return literalFinder(pattern.string('String'));
  if (pattern.has('Regex')) return regexFinder(pattern.string('Regex'));
  throw mismatch(pattern.path, value, '{ "String": … } or { "Regex": … }');
}

/** Finds a pattern, by a hand-written scanner where there is one. */
export function regexFinder(source: string): Finder {
  const scan = scannerOf(source);
  if (!scan) return new Matcher(source);
  let text: Uint16Array;
  let end = 0;
  return {
    matchStart: 0,
    matchEnd: 0,
    begin(units, _, to) {
      text = units;
      end = to;
    },
    next(from) {
      if (from >= end) return false;
      this.matchStart = from;
      this.matchEnd = scan(text, from, end);
      return true;
    },
  };
}

/** Finds a string; the empty one nowhere. */
export function literalFinder(literal: string): Finder {
  const wanted = stringToUnits(literal);
  let text: Uint16Array;
  let end = 0;
  return {
    matchStart: 0,
    matchEnd: 0,
    begin(units, _, to) {
      text = units;
      end = to;
    },
    next(from) {
      const { length } = wanted;
      if (length === 0) return false;
      for (let at = from; at + length <= end; at++) {
        let i = 0;
        while (i < length && text[at + i] === wanted[i]) i++;
        if (i < length) continue;
        this.matchStart = at;
        this.matchEnd = at + length;
        return true;
      }
      return false;
    },
  };
}

/** Finds single code points. */
export function classFinder(isMatch: (codePoint: number) => boolean): Finder {
  let text: Uint16Array;
  let end = 0;
  return {
    matchStart: 0,
    matchEnd: 0,
    begin(units, _, to) {
      text = units;
      end = to;
    },
    next(from) {
      for (let at = from; at < end; ) {
        const codePoint = codePointAt(text, at, end);
        const size = sizeOf(codePoint);
        if (isMatch(codePoint)) {
          this.matchStart = at;
          this.matchEnd = at + size;
          return true;
        }
        at += size;
      }
      return false;
    },
  };
}

/** Finds what another finder does not. */
export function inverted(finder: Finder): Finder {
  let from = 0;
  let end = 0;
  return {
    matchStart: 0,
    matchEnd: 0,
    begin(units, start, to) {
      finder.begin(units, start, to);
      from = start;
      end = to;
    },
    next(at) {
      for (let place = Math.max(at, from); place < end; ) {
        const found = finder.next(place);
        const to = found ? finder.matchStart : end;
        from = found ? finder.matchEnd : end;
        if (to > place) {
          this.matchStart = place;
          this.matchEnd = to;
          return true;
        }
        place = Math.max(from, place + 1);
      }
      return false;
    },
  };
}
