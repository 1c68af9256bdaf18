/** Numbers of a slot: left, right, the rank plus one, and the id that they make. */
const width = 4;

/** Merges by their pair of ids: an open-addressing table whose slots hold all that a merge needs. */
export class MergeTable {
  /** A slot holds left, right, the rank plus one or 0 where it is empty, and the id that they make. */
  readonly table: Int32Array;
  /** One bit for each hash that some pair has: most pairs do not merge, and this is small enough to stay near. */
  readonly #filter: Int32Array;
  /** Left, right and the id that they make, in the order of the ranks. */
  readonly list: Int32Array;
  readonly size: number;

  /** @param list left, right and the id that they make, for each merge */
  constructor(list: Int32Array) {
    const size = list.length / 3;
    const slots = 2 ** Math.max(4, Math.ceil(Math.log2(size * 1.5 + 1)));
    this.table = new Int32Array(width * slots);
    this.#filter = new Int32Array(slots >> 2);
    this.list = list;
    this.size = size;
    const { table } = this;
    const filter = this.#filter;
    for (let rank = 0; rank < size; rank++) {
      const left = list[3 * rank]!;
      const right = list[3 * rank + 1]!;
      const hash = hashPair(left, right);
      const at = this.#slot(left, right, hash);
      filter[(hash >>> 5) & (filter.length - 1)]! |= 1 << (hash & 31);
      table[at] = left;
      table[at + 1] = right;
      // A pair that stands twice has its last rank.
      table[at + 2] = rank + 1;
      table[at + 3] = list[3 * rank + 2]!;
    }
  }

  /** The place of a pair in the table, or −1 where it does not merge. */
  find(left: number, right: number): number {
    // `hashPair` and `#slot` written out: one function is compiled sooner than three.
    const mixed = Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b);
    const hash = mixed ^ (mixed >>> 15);
    const filter = this.#filter;
    if (((filter[(hash >>> 5) & (filter.length - 1)]! >>> (hash & 31)) & 1) === 0) return -1;
    const { table } = this;
    const mask = table.length - 1;
    for (let at = (hash << 2) & mask; ; at = (at + width) & mask) {
      if (table[at + 2] === 0) return -1;
      if (table[at] === left && table[at + 1] === right) return at;
    }
  }

  /** The rank of the merge at a place. */
  rankAt(place: number): number {
    return this.table[place + 2]! - 1;
  }

  /** The id that the merge at a place makes. */
  madeAt(place: number): number {
    return this.table[place + 3]!;
  }

  /** Where a pair stands, or the empty slot that it would have. */
  #slot(left: number, right: number, hash: number): number {
    const { table } = this;
    const mask = table.length - 1;
    for (let at = (hash << 2) & mask; ; at = (at + width) & mask) {
      if (table[at + 2] === 0 || (table[at] === left && table[at + 1] === right)) return at;
    }
  }
}

function hashPair(left: number, right: number): number {
  const mixed = Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
