import { isLaterCombining, isLaterDecomposition } from '../text/later-unicode.js';
import type { NormalizedText } from '../text/normalized-text.js';
import type { Normalizer } from './normalizer.js';
import { type Transform, transform } from './transform.js';

export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/**
 * Unicode's normal forms, with the place of each character.
 *
 * @see https://www.unicode.org/reports/tr15/
 */
export function unicodeForm(form: UnicodeForm): Normalizer {
  const composes = form.endsWith('C');
  const decomposition = form.includes('K') ? 'NFKD' : 'NFD';
  return {
    normalize(text) {
      if (isAscii(text)) return;
      const whole = text.toString();
      if (whole.normalize(form) === whole) return;
      const decomposed = decompose(whole, decomposition);
      transform(text, composes ? compose(decomposed) : decomposed);
    },
  };
}

/** Whether all of a text is ASCII. */
export function isAscii({ units, length }: NormalizedText): boolean {
  let all = 0;
  for (let i = 0; i < length; i++) all |= units[i]!;
  return all < 0x80;
}

function decompose(text: string, form: 'NFD' | 'NFKD'): Transform {
  const codePoints: number[] = [];
  const changes: number[] = [];
  /** Where the marks begin that are not in order yet. */
  let pending = 0;
  const sort = () => {
    sortMarks(codePoints, changes, pending);
    pending = codePoints.length;
  };
  for (const char of text) {
    let change = 0;
    const isLater = isLaterDecomposition(char.codePointAt(0)!, form === 'NFKD');
    for (const part of isLater ? char : char.normalize(form)) {
      const codePoint = part.codePointAt(0)!;
      if (!isMark(codePoint)) sort();
      codePoints.push(codePoint);
      changes.push(change);
      change = 1;
    }
  }
  sort();
  return { codePoints, changes };
}

/** Sorts the marks from `from` on by their combining class, keeping the order among equals. */
function sortMarks(codePoints: number[], changes: number[], from: number): void {
  for (let i = from + 1; i < codePoints.length; i++) {
    for (let k = i; k > from && isMark(codePoints[k - 1]!); k--) {
      if (!isHigher(codePoints[k - 1]!, codePoints[k]!)) break;
      swap(codePoints, k);
      swap(changes, k);
    }
  }
}

function swap(items: number[], k: number): void {
  [items[k - 1], items[k]] = [items[k]!, items[k - 1]!];
}

function compose({ codePoints, changes }: Transform): Transform {
  const out: Transform = { codePoints: [], changes: [] };
  const put = (codePoint: number, change: number) => {
    out.codePoints.push(codePoint);
    out.changes.push(change);
  };
  let starter = -1;
  let starterChange = 0;
  let marks: [codePoint: number, change: number][] = [];
  const flush = () => {
    if (starter >= 0) put(starter, starterChange);
    for (const [codePoint, change] of marks) put(codePoint, change);
    marks = [];
    starter = -1;
  };
  codePoints.forEach((codePoint, i) => {
    const change = changes[i]!;
    const mark = isMark(codePoint);
    if (starter >= 0) {
      const last = marks.at(-1);
      const blocked = last !== undefined && (!mark || !isHigher(codePoint, last[0]));
      const made = blocked ? -1 : composed(starter, codePoint);
      if (made >= 0) {
        starter = made;
        starterChange += change - 1;
        return;
      }
      if (mark) {
        marks.push([codePoint, change]);
        return;
      }
      flush();
    } else if (mark) {
      put(codePoint, change);
      return;
    }
    starter = codePoint;
    starterChange = change;
  });
  flush();
  return out;
}

/** The one character that two compose to, or −1. */
function composed(first: number, second: number): number {
  const text = String.fromCodePoint(first, second).normalize('NFC');
  const codePoint = text.codePointAt(0)!;
  const isOne = text.length === String.fromCodePoint(codePoint).length;
  return isOne && !isLaterDecomposition(codePoint, false) ? codePoint : -1;
}

/** Whether the combining class of one mark is above that of another: then the engine swaps them. */
function isHigher(first: number, second: number): boolean {
  const text = String.fromCodePoint(first, second);
  return text.normalize('NFD') !== text;
}

/** Of the lowest combining class but 0, and of the highest. */
const lowest = 0x334;
const highest = 0x345;
const marksSeen = new Map<number, boolean>();

/** Whether a character's combining class is not 0. */
function isMark(codePoint: number): boolean {
  if (codePoint < 0x300) return false;
  let known = marksSeen.get(codePoint);
  if (known === undefined) {
    known =
      !isLaterCombining(codePoint) && (isHigher(codePoint, lowest) || isHigher(highest, codePoint));
    marksSeen.set(codePoint, known);
  }
  return known;
}
