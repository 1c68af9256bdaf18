import { Fields, mismatch } from '../fields.js';
import { type Scanner, scannerOf } from '../pre-tokenizers/scanners.js';
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
  /** The end of the match at a place, where there is one at every place and none is empty. */
  scan?: Scanner | undefined;
}

/**
 * The matches in some code units from left to right, none where there are no units; an empty one right behind another
 * match does not count.
 */
export class Matches {
  /** Where the match found last begins and ends. */
  start = 0;
  end = 0;
  readonly #finder: Finder;
  readonly #units: Uint16Array;
  readonly #to: number;
  #at: number;
  #lastEnd = -1;

  constructor(finder: Finder, units: Uint16Array, from: number, to: number) {
    finder.begin(units, from, to);
    this.#finder = finder;
    this.#units = units;
    this.#to = to;
    this.#at = from < to ? from : to + 1;
  }

  /** Looks for the next match. */
  next(): boolean {
    const finder = this.#finder;
    while (this.#at <= this.#to && finder.next(this.#at)) {
      const { matchStart, matchEnd } = finder;
      if (matchStart === matchEnd && matchEnd === this.#lastEnd) {
        this.#at += this.#at < this.#to ? sizeOf(codePointAt(this.#units, this.#at, this.#to)) : 1;
        continue;
      }
      this.start = matchStart;
      this.end = matchEnd;
      this.#at = matchEnd;
      this.#lastEnd = matchEnd;
      return true;
    }
    return false;
  }
}

/** All matches in some code units. */
export function matchesIn(
  finder: Finder,
  units: Uint16Array,
  from: number,
  to: number,
): [start: number, end: number][] {
  const found: [number, number][] = [];
  const matches = new Matches(finder, units, from, to);
  while (matches.next()) found.push([matches.start, matches.end]);
  return found;
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
    scan,
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

/**
 * Finds a string, in time linear in the text; the empty one at every character.
 *
 * @see Knuth, Morris and Pratt 1977, https://doi.org/10.1137/0206024
 */
export function literalFinder(literal: string): Finder {
  const wanted = stringToUnits(literal);
  const borders = bordersOf(wanted);
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
      if (length === 0) {
        this.matchStart = from;
        this.matchEnd = from;
        return from <= end;
      }
      let matched = 0;
      for (let at = from; at < end; at++) {
        while (matched > 0 && text[at] !== wanted[matched]) matched = borders[matched - 1]!;
        if (text[at] === wanted[matched] && ++matched === length) {
          this.matchStart = at + 1 - length;
          this.matchEnd = at + 1;
          return true;
        }
      }
      return false;
    },
  };
}

/** For each prefix, how long its longest proper prefix is that it also ends with. */
function bordersOf(units: Uint16Array): Int32Array {
  const borders = new Int32Array(units.length);
  for (let i = 1, k = 0; i < units.length; i++) {
    while (k > 0 && units[i] !== units[k]) k = borders[k - 1]!;
    if (units[i] === units[k]) k++;
    borders[i] = k;
  }
  return borders;
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
