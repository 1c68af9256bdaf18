/** A pair of symbols, to be merged next; its count may be out of date. */
export interface Candidate {
  count: number;
  pair: number;
}

/** A binary heap: the highest count first, then the lower pair. */
export class Queue {
  readonly #items: Candidate[] = [];

  push(count: number, pair: number): void {
    const item = { count, pair };
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
  a.count !== b.count ? a.count > b.count : a.pair < b.pair;
