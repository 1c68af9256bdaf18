/** Words of a record: a key of 128 bits, and the number of what has it. */
const width = 5;

/** Keys of some items in order, each once, and the items that share a key among them. */
export interface KeyRun {
  /** `[n · 5]`: four words of a key, ascending, and the first item that has it. */
  readonly records: Uint32Array;
  /** `[m · 2]`: the first item with a key, and a later one. */
  readonly pairs: Uint32Array;
}

/** Collects the keys of items 0, 1, 2, … in any number a key or an item, and sorts them. */
export class KeyBuffer {
  #records = new Uint32Array(width << 12);
  #count = 0;

  /** Records held. */
  get length(): number {
    return this.#count;
  }

  /** Adds one record for each key of `keys`, `[n · 4]`. */
  add(keys: Uint32Array, item: number): void {
    const added = keys.length / 4;
    const needed = (this.#count + added) * width;
    if (needed > this.#records.length) {
      const grown = new Uint32Array(2 * needed);
      grown.set(this.#records.subarray(0, this.#count * width));
      this.#records = grown;
    }
    for (let i = 0; i < added; i++) {
      const at = (this.#count + i) * width;
      for (let k = 0; k < 4; k++) this.#records[at + k] = keys[4 * i + k]!;
      this.#records[at + 4] = item;
    }
    this.#count += added;
  }

  /** The records in order, and the buffer empty. */
  take(): KeyRun {
    const records = this.#records.subarray(0, this.#count * width);
    this.#count = 0;
    const items = new Float64Array(records.length / width);
    for (let i = 0; i < items.length; i++) items[i] = records[i * width + 4]!;
    const sorted: number[] = [];
    const pairs: number[] = [];
    const order = keyOrder(records, items);
    for (let i = 0, first = 0; i < order.length; i++) {
      if (i === 0 || !sameKey(records, order[i]!, order[first]!)) {
        first = i;
        sorted.push(order[i]!);
      } else if (items[order[i]!] !== items[order[first]!]) {
        pairs.push(items[order[first]!]!, items[order[i]!]!);
      }
    }
    const run = new Uint32Array(sorted.length * width);
    sorted.forEach((from, to) => {
      run.set(records.subarray(from * width, (from + 1) * width), to * width);
    });
    return { records: run, pairs: Uint32Array.from(pairs) };
  }
}

/** A run that is stored: its records can be read in pieces. */
export interface StoredRun {
  /** The number of the run's item 0 among the items of all runs. */
  readonly base: number;
  /** How many records it has. */
  readonly records: number;
  /** Some records; valid until the next call. */
  read(start: number, end: number): Promise<Uint32Array> | Uint32Array;
  /** The pairs within the run. */
  pairs(): Promise<Uint32Array> | Uint32Array;
}

/**
 * Calls `join` with the first item of every key and each later item that has it, in the same order for the same runs.
 *
 * The runs are merged in slices of the key space, so that `recordsInMemory` records at a time are held, however many there are:
 * keys are hashes, and spread evenly.
 *
 * @param recordsInMemory records of a slice on average, 30 bytes each. Default 2^20
 */
export async function mergeRuns(
  runs: readonly StoredRun[],
  join: (first: number, later: number) => void,
  { recordsInMemory = 2 ** 20 }: { recordsInMemory?: number | undefined } = {},
): Promise<void> {
  for (const run of runs) {
    const pairs = await run.pairs();
    for (let i = 0; i < pairs.length; i += 2) {
      join(run.base + pairs[i]!, run.base + pairs[i + 1]!);
    }
  }
  const total = runs.reduce((sum, { records }) => sum + records, 0);
  const slices = Math.ceil(total / recordsInMemory);
  const starts = runs.map(() => 0);
  for (let slice = 1; slice <= slices; slice++) {
    const pieces: { base: number; records: Uint32Array }[] = [];
    for (const [i, run] of runs.entries()) {
      const start = starts[i]!;
      const limit = (slice / slices) * 2 ** 32;
      const end = await lowerBound(run, start, limit);
      starts[i] = end;
      if (end > start)
        pieces.push({ base: run.base, records: (await run.read(start, end)).slice() });
    }
    joinEqual(pieces, join);
  }
}

/** The first record from `start` whose key's first word is at least `limit`: interpolated, then bisected. */
async function lowerBound(run: StoredRun, start: number, limit: number): Promise<number> {
  if (limit >= 2 ** 32) return run.records;
  const below = async (i: number) => (await run.read(i, i + 1))[0]! < limit;
  const guess = Math.min(run.records, Math.max(start, Math.round((run.records * limit) / 2 ** 32)));
  let step = 1;
  let low = guess;
  let high = guess;
  while (low > start && !(await below(low - 1))) {
    high = low - 1;
    low = Math.max(start, low - step);
    step *= 2;
  }
  step = 1;
  while (high < run.records && (await below(high))) {
    low = high + 1;
    high = Math.min(run.records, high + step);
    step *= 2;
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (await below(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function joinEqual(
  pieces: readonly { base: number; records: Uint32Array }[],
  join: (first: number, later: number) => void,
): void {
  const words = pieces.reduce((sum, { records }) => sum + records.length, 0);
  const all = new Uint32Array(words);
  const items = new Float64Array(words / width);
  let at = 0;
  for (const { base, records } of pieces) {
    all.set(records, at);
    for (let i = 0; i < records.length; i += width) {
      items[(at + i) / width] = base + records[i + 4]!;
    }
    at += records.length;
  }
  const order = keyOrder(all, items);
  for (let i = 1, first = 0; i < order.length; i++) {
    if (!sameKey(all, order[i]!, order[first]!)) first = i;
    else if (items[order[i]!] !== items[order[first]!])
      join(items[order[first]!]!, items[order[i]!]!);
  }
}

function sameKey(records: Uint32Array, a: number, b: number): boolean {
  for (let k = 0; k < 4; k++) if (records[a * width + k] !== records[b * width + k]) return false;
  return true;
}

/** The places of the records in the order of their keys, and of their items where keys are equal. */
function keyOrder(records: Uint32Array, items: Float64Array): Float64Array {
  const compare = (a: number, b: number) => {
    for (let k = 0; k < 4; k++) {
      const difference = records[a * width + k]! - records[b * width + k]!;
      if (difference !== 0) return difference;
    }
    return items[a]! - items[b]!;
  };
  const count = items.length;
  if (count > 2 ** 21) return Float64Array.from({ length: count }, (_, i) => i).sort(compare);
  // Numbers sort natively, many times faster than by a function: the key's first word, then the place, in 53 bits.
  const order = new Float64Array(count);
  for (let i = 0; i < count; i++) order[i] = records[i * width]! * 2 ** 21 + i;
  order.sort();
  for (let i = 0; i < count; i++) order[i] = order[i]! % 2 ** 21;
  for (let start = 0; start < count; ) {
    const word = records[order[start]! * width];
    let end = start + 1;
    while (end < count && records[order[end]! * width] === word) end++;
    if (end - start > 1) order.subarray(start, end).sort(compare);
    start = end;
  }
  return order;
}
