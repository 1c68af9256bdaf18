import { Queue } from './queue.js';

/** Two neighbouring tokens. */
export type Merge = readonly [left: string, right: string];

/** A word of the training text: its symbols, by number, and how often it occurs. */
interface Word {
  symbols: number[];
  count: number;
}

/** Room for the right symbol of a pair beside the left one in one number. */
const room = 2 ** 26;

export interface LearnMergesOptions {
  /** The first tokens, among them the characters that words may begin as. */
  first: readonly string[];
  /** Tokens at most, the first ones among them. */
  vocabSize: number;
  /** Pairs that occur less often are not merged. */
  minFrequency: number;
  /** Stands before every symbol of a word but its first. */
  continuingPrefix: string;
  onMerge: (tokens: number) => void;
}

/**
 * Learns merges: again and again the most frequent pair of neighbours, the lower symbols first among equals.
 *
 * @param words with their number of occurrences
 * @returns the tokens in the order of their ids, and the merges
 */
export function learnMerges(
  words: ReadonlyMap<string, number>,
  { first, vocabSize, minFrequency, continuingPrefix, onMerge }: LearnMergesOptions,
): { tokens: string[]; merges: Merge[] } {
  const tokens = [...first];
  const numbers = new Map(tokens.map((token, number) => [token, number]));
  const numberOf = (token: string): number => {
    const known = numbers.get(token);
    if (known !== undefined) return known;
    numbers.set(token, tokens.length);
    return tokens.push(token) - 1;
  };
  const corpus = [...words].map(([word, count]): Word => {
    const symbols = Array.from(word).flatMap((char, i) => {
      if (!numbers.has(char)) return [];
      return [i > 0 && continuingPrefix ? numberOf(continuingPrefix + char) : numbers.get(char)!];
    });
    return { symbols, count };
  });
  const counts = new Map<number, number>();
  const places = new Map<number, Set<number>>();
  const change = (left: number, right: number, count: number, word: number) => {
    const pair = left * room + right;
    counts.set(pair, (counts.get(pair) ?? 0) + count);
    if (count < 0) return;
    const at = places.get(pair);
    if (at) at.add(word);
    else places.set(pair, new Set([word]));
  };
  corpus.forEach(({ symbols: s, count }, word) => {
    for (let i = 0; i + 1 < s.length; i++) change(s[i]!, s[i + 1]!, count, word);
  });
  const queue = new Queue();
  for (const [pair, count] of counts) queue.push(count, pair);

  const merges: Merge[] = [];
  while (tokens.length < vocabSize) {
    const top = queue.pop();
    if (!top) break;
    const { pair } = top;
    const count = counts.get(pair) ?? 0;
    if (count !== top.count) {
      if (count > 0) queue.push(count, pair);
      continue;
    }
    if (count < Math.max(1, minFrequency)) break;
    const left = Math.floor(pair / room);
    const right = pair % room;
    const made = numberOf(tokens[left]! + without(tokens[right]!, continuingPrefix));
    merges.push([tokens[left]!, tokens[right]!]);
    onMerge(tokens.length);
    const changed = new Set<number>();
    for (const index of places.get(pair) ?? []) {
      mergeInWord(corpus[index]!, left, right, made, (a, b, difference) => {
        change(a, b, difference, index);
        if (difference > 0) changed.add(a * room + b);
      });
    }
    counts.delete(pair);
    places.delete(pair);
    for (const other of changed) {
      const now = counts.get(other) ?? 0;
      if (now > 0) queue.push(now, other);
    }
  }
  return { tokens, merges };
}

const without = (token: string, prefix: string): string =>
  prefix && token.startsWith(prefix) ? token.slice(prefix.length) : token;

/** Replaces a pair in a word, and tells which pairs of neighbours came and went. */
function mergeInWord(
  word: Word,
  left: number,
  right: number,
  made: number,
  change: (left: number, right: number, count: number) => void,
): void {
  const { symbols: s, count } = word;
  const merged: number[] = [];
  for (let i = 0; i < s.length; i++) {
    if (!(s[i] === left && s[i + 1] === right)) {
      merged.push(s[i]!);
      continue;
    }
    const before = merged.at(-1);
    if (before !== undefined) {
      change(before, left, -count);
      change(before, made, count);
    }
    const after = s[i + 2];
    if (after !== undefined) {
      change(right, after, -count);
      change(made, after, count);
    }
    merged.push(made);
    i++;
  }
  word.symbols = merged;
}
