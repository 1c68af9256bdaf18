/** Two neighbouring tokens. */
export type Merge = readonly [left: string, right: string];

/** A word of the training text: its symbols, by number, and how often it occurs. */
interface Word {
  symbols: number[];
  count: number;
}

/** A candidate for the next merge; its count may be out of date. */
interface Candidate {
  left: number;
  right: number;
  count: number;
}

const keyLimit = 2 ** 26;

/**
 * Learns merges: again and again the most frequent pair of neighbours, the lower symbols first among equals.
 *
 * @param words by text, with their number of occurrences
 * @param alphabet the first symbols
 * @param room merges that fit into the vocabulary
 */
export function learnMerges(
  words: ReadonlyMap<string, number>,
  alphabet: readonly string[],
  room: number,
  options: { minFrequency: number; onMerge?: (made: number) => void },
): Merge[] {
  const symbols = [...alphabet];
  const numbers = new Map(symbols.map((symbol, number) => [symbol, number]));
  const corpus: Word[] = [...words].map(([word, count]) => ({
    symbols: [...word].flatMap((char) => numbers.get(char) ?? []),
    count,
  }));
  const counts = new Map<number, number>();
  const places = new Map<number, Set<number>>();
  const add = (left: number, right: number, count: number, word: number) => {
    const key = left * keyLimit + right;
    counts.set(key, (counts.get(key) ?? 0) + count);
    if (count < 0) return;
    const at = places.get(key);
    if (at) at.add(word);
    else places.set(key, new Set([word]));
  };
  corpus.forEach(({ symbols: s, count }, word) => {
    for (let i = 0; i + 1 < s.length; i++) add(s[i]!, s[i + 1]!, count, word);
  });
  const queue = new Queue();
  for (const [key, count] of counts) queue.push(candidate(key, count));

  const merges: Merge[] = [];
  while (merges.length < room) {
    const top = queue.pop();
    if (!top) break;
    const key = top.left * keyLimit + top.right;
    const count = counts.get(key) ?? 0;
    if (count !== top.count) {
      if (count > 0) queue.push({ ...top, count });
      continue;
    }
    if (count < Math.max(1, options.minFrequency)) break;
    const text = symbols[top.left]! + symbols[top.right]!;
    let made = numbers.get(text);
    if (made === undefined) {
      made = symbols.push(text) - 1;
      numbers.set(text, made);
    }
    merges.push([symbols[top.left]!, symbols[top.right]!]);
    options.onMerge?.(merges.length);
    const changed = new Set<number>();
    for (const index of places.get(key) ?? []) {
      mergeInWord(corpus[index]!, top, made, (left, right, change) => {
        add(left, right, change, index);
        if (change > 0) changed.add(left * keyLimit + right);
      });
    }
    counts.delete(key);
    places.delete(key);
    for (const pair of changed) {
      const now = counts.get(pair) ?? 0;
      if (now > 0) queue.push(candidate(pair, now));
    }
  }
  return merges;
}

const candidate = (key: number, count: number): Candidate => ({
  left: Math.floor(key / keyLimit),
  right: key % keyLimit,
  count,
});

/** Replaces a pair in a word, and tells which pairs of neighbours came and went. */
function mergeInWord(
  word: Word,
  { left, right }: Candidate,
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

/** A binary heap: the highest count first, then the lower left symbol, then the lower right one. */
class Queue {
  readonly #items: Candidate[] = [];

  push(item: Candidate): void {
    const items = this.#items;
    let i = items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(item, items[parent]!)) break;
      items[i] = items[parent]!;
      i = parent;
    }
    items[i] = item;
  }

  pop(): Candidate | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++;
      if (!before(items[child]!, last)) break;
      items[i] = items[child]!;
      i = child;
    }
    items[i] = last;
    return top;
  }
}

const before = (a: Candidate, b: Candidate): boolean =>
  a.count !== b.count ? a.count > b.count : a.left !== b.left ? a.left < b.left : a.right < b.right;
