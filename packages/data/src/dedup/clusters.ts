/** Disjoint sets of the items below `count`; each is named by its first item. Four bytes an item. */
export class Clusters {
  readonly #parents: Uint32Array;

  constructor(count: number) {
    this.#parents = Uint32Array.from({ length: count }, (_, i) => i);
  }

  /** Makes one cluster of those of two items. */
  join(a: number, b: number): void {
    const first = this.firstOf(a);
    const second = this.firstOf(b);
    if (first < second) this.#parents[second] = first;
    else this.#parents[first] = second;
  }

  /** The first item of an item's cluster; the paths that it walks are halved. */
  firstOf(item: number): number {
    const parents = this.#parents;
    let at = item;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]!]!;
      at = parents[at]!;
    }
    return at;
  }
}

/** A set of whole numbers below `size`, one bit each. */
export class BitSet {
  /** The bits, eight numbers a byte, the least bit first. */
  readonly bytes: Uint8Array;

  constructor(size: number, bytes: Uint8Array = new Uint8Array(Math.ceil(size / 8))) {
    this.bytes = bytes;
  }

  add(number: number): void {
    this.bytes[Math.floor(number / 8)]! |= 1 << (number % 8);
  }

  has(number: number): boolean {
    return (this.bytes[Math.floor(number / 8)]! & (1 << (number % 8))) !== 0;
  }
}
