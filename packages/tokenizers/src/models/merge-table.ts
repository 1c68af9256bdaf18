/** Merges by their pair of ids: an open-addressing table of hashes and ranks plus one. */
export class MergeTable {
  readonly #table: Int32Array;
  /** One bit for each hash that some pair has: most pairs do not merge, and this is small enough to stay near. */
  readonly #filter: Int32Array;
  /** Left, right and the id that they make, in the order of the ranks. */
  readonly list: Int32Array;
  readonly size: number;

  /** @param list left, right and the id that they make, for each merge */
  constructor(list: Int32Array) {
    const size = list.length / 3;
    const slots = 2 ** Math.max(4, Math.ceil(Math.log2(size * 1.5 + 1)));
    this.#table = new Int32Array(2 * slots);
    this.#filter = new Int32Array(slots >> 2);
    this.list = list;
    this.size = size;
    for (let rank = 0; rank < size; rank++) {
      const hash = hashPair(list[3 * rank]!, list[3 * rank + 1]!);
      const at = this.#slot(list[3 * rank]!, list[3 * rank + 1]!, hash);
      this.#table[at] = hash;
      this.#filter[(hash >>> 5) & (this.#filter.length - 1)]! |= 1 << (hash & 31);
      // A pair that stands twice has its last rank.
      this.#table[at + 1] = rank + 1;
    }
  }

  /** The rank of a pair, or −1 where it does not merge. */
  rank(left: number, right: number): number {
    const hash = hashPair(left, right);
    const filter = this.#filter;
    if (((filter[(hash >>> 5) & (filter.length - 1)]! >>> (hash & 31)) & 1) === 0) return -1;
    return this.#table[this.#slot(left, right, hash) + 1]! - 1;
  }

  /** The id that the merge of a rank makes. */
  made(rank: number): number {
    return this.list[3 * rank + 2]!;
  }

  #slot(left: number, right: number, hash: number): number {
    const table = this.#table;
    const list = this.list;
    const mask = table.length - 1;
    for (let at = (hash << 1) & mask; ; at = (at + 2) & mask) {
      const rank = table[at + 1]! - 1;
      if (rank < 0) return at;
      if (table[at] === hash && list[3 * rank] === left && list[3 * rank + 1] === right) return at;
    }
  }
}

function hashPair(left: number, right: number): number {
  const mixed = Math.imul(Math.imul(left, 0x9e3779b1) ^ right, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
