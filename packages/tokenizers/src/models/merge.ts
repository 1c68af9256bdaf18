import type { MergeTable } from './merge-table.js';

/** Words of up to this many symbols are scanned for the next merge; longer ones use a heap. */
const scanned = 64;
/** The rank of a pair that does not merge. */
const never = 2 ** 31 - 1;

/** The symbols of one word while they merge. */
export class Symbols {
  ids: Int32Array = new Int32Array(256);
  /** Where each symbol begins and ends in the word, in code units. */
  starts: Int32Array = new Int32Array(256);
  ends: Int32Array = new Int32Array(256);
  length = 0;
  /** For each symbol of a word that is scanned: the rank plus one of its merge with the one behind it, its place, and that one. */
  readonly #ranks = new Int32Array(scanned);
  readonly #places = new Int32Array(scanned);
  readonly #next = new Int32Array(scanned);

  clear(): void {
    this.length = 0;
  }

  add(id: number, start: number, end: number): void {
    if (this.length === this.ids.length) this.#grow();
    this.ids[this.length] = id;
    this.starts[this.length] = start;
    this.ends[this.length] = end;
    this.length++;
  }

  /** Merges the pair of the lowest rank, the leftmost among equals, until no pair merges. */
  merge(merges: MergeTable, dropout = 0, random: () => number = Math.random): void {
    if (this.length < 2) return;
    if (dropout > 0 || this.length > scanned) mergeByHeap(this, merges, dropout, random);
    else this.#mergeByScan(merges);
  }

  #mergeByScan(merges: MergeTable): void {
    const { ids, starts, ends, length } = this;
    const { table } = merges;
    const ranks = this.#ranks;
    const places = this.#places;
    const next = this.#next;
    const last = length - 1;
    for (let i = 0; i < length; i++) {
      const place = i < last ? merges.find(ids[i]!, ids[i + 1]!) : -1;
      ranks[i] = place < 0 ? never : table[place + 2]!;
      places[i] = place;
      next[i] = i + 1;
    }
    for (;;) {
      let best = never;
      let at = 0;
      let before = -1;
      let previous = -1;
      for (let i = 0; i < length; i = next[i]!) {
        if (ranks[i]! < best) {
          best = ranks[i]!;
          at = i;
          before = previous;
        }
        previous = i;
      }
      if (best === never) break;
      const right = next[at]!;
      const after = next[right]!;
      ids[at] = table[places[at]! + 3]!;
      ends[at] = ends[right]!;
      next[at] = after;
      // The merged symbol with the one behind it, then the one before it with the merged one.
      let place = after < length ? merges.find(ids[at]!, ids[after]!) : -1;
      ranks[at] = place < 0 ? never : table[place + 2]!;
      places[at] = place;
      if (before < 0) continue;
      place = merges.find(ids[before]!, ids[at]!);
      ranks[before] = place < 0 ? never : table[place + 2]!;
      places[before] = place;
    }
    let n = 0;
    for (let i = 0; i < length; i = next[i]!) {
      ids[n] = ids[i]!;
      starts[n] = starts[i]!;
      ends[n] = ends[i]!;
      n++;
    }
    this.length = n;
  }

  #grow(): void {
    for (const name of ['ids', 'starts', 'ends'] as const) {
      const wider = new Int32Array(2 * this[name].length);
      wider.set(this[name]);
      this[name] = wider;
    }
  }
}

/** Room for positions beside a rank in one number. */
const room = 2 ** 28;

function mergeByHeap(
  symbols: Symbols,
  merges: MergeTable,
  dropout: number,
  random: () => number,
): void {
  const { ids, starts, ends, length } = symbols;
  const next = Int32Array.from({ length }, (_, i) => (i + 1 < length ? i + 1 : -1));
  const previous = Int32Array.from({ length }, (_, i) => i - 1);
  const heap = new Heap(length);
  const consider = (left: number) => {
    const right = next[left]!;
    if (right < 0) return;
    const place = merges.find(ids[left]!, ids[right]!);
    if (place >= 0) heap.push(merges.rankAt(place) * room + left);
  };
  for (let i = 0; i + 1 < length; i++) consider(i);
  const skipped: number[] = [];
  while (heap.size > 0) {
    const top = heap.pop();
    if (dropout > 0 && random() < dropout) {
      skipped.push(top);
      continue;
    }
    for (const item of skipped.splice(0)) heap.push(item);
    const left = top % room;
    const rank = (top - left) / room;
    const right = next[left]!;
    // Out of date where either symbol has merged since; a symbol that is gone has id −1.
    if (right < 0 || ids[left]! < 0) continue;
    const place = merges.find(ids[left]!, ids[right]!);
    if (place < 0 || merges.rankAt(place) !== rank) continue;
    ids[left] = merges.madeAt(place);
    ends[left] = ends[right]!;
    ids[right] = -1;
    const after = next[right]!;
    next[left] = after;
    if (after >= 0) previous[after] = left;
    next[right] = -1;
    if (previous[left]! >= 0) consider(previous[left]!);
    consider(left);
  }
  let n = 0;
  for (let i = 0; i >= 0; i = next[i]!) {
    ids[n] = ids[i]!;
    starts[n] = starts[i]!;
    ends[n] = ends[i]!;
    n++;
  }
  symbols.length = n;
}

/** A binary heap of numbers, the lowest first. */
class Heap {
  #items: Float64Array;
  size = 0;

  constructor(capacity: number) {
    this.#items = new Float64Array(Math.max(16, capacity));
  }

  push(item: number): void {
    if (this.size === this.#items.length) {
      const wider = new Float64Array(2 * this.size);
      wider.set(this.#items);
      this.#items = wider;
    }
    const items = this.#items;
    let i = this.size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (items[parent]! <= item) break;
      items[i] = items[parent]!;
      i = parent;
    }
    items[i] = item;
  }

  pop(): number {
    const items = this.#items;
    const top = items[0]!;
    const last = items[--this.size]!;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[i] = items[child]!;
      i = child;
    }
    items[i] = last;
    return top;
  }
}
