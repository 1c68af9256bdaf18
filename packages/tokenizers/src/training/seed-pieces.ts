import type { WordCounts } from './words.js';

/** Pieces to choose from, with how much of the words they cover. */
export interface SeedPieces {
  pieces: string[];
  weights: number[];
}

/** Stands behind each word. */
const boundary = 0;

/** Words one behind the other, as code points, each with a boundary. */
interface WordText {
  codePoints: number[];
  /** For each of them how often its word occurs, and how often at the end of a text. */
  counts: number[];
  lasts: number[];
}

/**
 * The characters of some texts, and their substrings inside of words that occur twice or more and are not always
 * followed by the same character, those that cover most first.
 *
 * @see Kudo 2018, https://arxiv.org/abs/1804.10959, which finds them with a suffix array
 */
export function seedPieces(
  words: WordCounts,
  { maxLength, limit }: { maxLength: number; limit: number },
): SeedPieces {
  const text: WordText = { codePoints: [], counts: [], lasts: [] };
  const characters = new Map<number, number>();
  for (const [word, count] of words.counts) {
    const last = words.lasts.get(word) ?? 0;
    const add = (codePoint: number) => {
      text.codePoints.push(codePoint);
      text.counts.push(count);
      text.lasts.push(last);
    };
    for (const char of word) {
      const codePoint = char.codePointAt(0)!;
      add(codePoint);
      characters.set(codePoint, (characters.get(codePoint) ?? 0) + count);
    }
    add(boundary);
  }
  const found = repeated(text, maxLength);
  const seeds: SeedPieces = { pieces: [], weights: [] };
  const add = (piece: string, weight: number) => {
    seeds.pieces.push(piece);
    seeds.weights.push(weight);
  };
  for (const [char, count] of [...characters].sort((a, b) => b[1] - a[1] || b[0] - a[0])) {
    add(String.fromCodePoint(char), count);
  }
  found.sort((a, b) => b.weight - a.weight || a.start - b.start);
  for (const { start, length, weight } of found.slice(0, Math.max(0, limit - characters.size))) {
    add(String.fromCodePoint(...text.codePoints.slice(start, start + length)), weight);
  }
  return seeds;
}

/** A substring by where it stands first. */
interface Repeated {
  start: number;
  length: number;
  weight: number;
}

function repeated({ codePoints, counts, lasts }: WordText, maxLength: number): Repeated[] {
  const found: Repeated[] = [];
  const scripts = new Map<number, number>();
  const scriptAt = (at: number): number => {
    const codePoint = codePoints[at]!;
    let script = scripts.get(codePoint);
    if (script === undefined) {
      script = scriptOf(codePoint);
      scripts.set(codePoint, script);
    }
    return script;
  };
  /** Whether the character at `at` may follow the one before it in a piece. */
  const follows = (at: number): boolean =>
    codePoints[at] !== space && (codePoints[at - 1] === space || scriptAt(at - 1) === scriptAt(at));
  const sum = (starts: readonly number[], of: readonly number[]) =>
    starts.reduce((total, start) => total + of[start]!, 0);
  /** Goes through the substrings of `length` that begin at `starts`, all the same. */
  const extend = (starts: readonly number[], length: number) => {
    const groups = new Map<number, number[]>();
    for (const start of starts) {
      const next = codePoints[start + length]!;
      const group = groups.get(next);
      if (group) group.push(start);
      else groups.set(next, [start]);
    }
    if (length > 1) {
      const count = sum(starts, counts);
      if (count > 1 && continuations(groups) > 1) {
        found.push({ start: starts[0]!, length, weight: count * length });
      }
    }
    if (length === maxLength) return;
    for (const [next, group] of groups) {
      if (next === boundary || (group.length < 2 && counts[group[0]!]! < 2)) continue;
      if (length === 0 || follows(group[0]! + length)) extend(group, length + 1);
    }
  };
  /** How many different characters follow: behind a word the space of the next one, or the end of the text. */
  const continuations = (groups: ReadonlyMap<number, readonly number[]>): number => {
    const ends = groups.get(boundary);
    if (!ends) return groups.size;
    const last = sum(ends, lasts);
    return groups.size - 1 + (last > 0 ? 1 : 0) + (sum(ends, counts) > last ? 1 : 0);
  };
  const starts: number[] = [];
  for (let i = 0; i < codePoints.length; i++) if (codePoints[i] !== boundary) starts.push(i);
  extend(starts, 0);
  return found;
}

const space = 0x2581;

/** Scripts whose words take no others' letters; Kana go with Chinese characters. */
const scripts: readonly RegExp[] = [
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]/u,
  ...[
    ...[
      'Latin',
      'Greek',
      'Cyrillic',
      'Armenian',
      'Hebrew',
      'Arabic',
      'Syriac',
      'Thaana',
      'Devanagari',
    ],
    ...['Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada', 'Malayalam'],
    ...[
      'Sinhala',
      'Thai',
      'Lao',
      'Tibetan',
      'Myanmar',
      'Georgian',
      'Hangul',
      'Ethiopic',
      'Cherokee',
    ],
    ...['Khmer', 'Mongolian', 'Bopomofo', 'Yi', 'Inherited', 'Common'],
  ].map((name) => new RegExp(`\\p{Script=${name}}`, 'u')),
];

function scriptOf(codePoint: number): number {
  const char = String.fromCodePoint(codePoint);
  return scripts.findIndex((script) => script.test(char));
}
