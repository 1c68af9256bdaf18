const golden = 0x9e3779b1 | 0;

/** Merges by their pair of ids: an open-addressing table of left, right and rank. */
export class MergeTable {
  readonly #table: Int32Array;
  readonly #shift: number;
  /** Left, right and the id that they make, in the order of the ranks. */
  readonly list: Int32Array;
  readonly size: number;

  /** @param list left, right and the id that they make, for each merge */
  constructor(list: Int32Array) {
    const size = list.length / 3;
    const bits = Math.max(4, Math.ceil(Math.log2(size * 1.5 + 1)));
    this.#table = new Int32Array(4 * 2 ** bits).fill(-1);
    this.#shift = 32 - bits;
    this.list = list;
    this.size = size;
    for (let rank = 0; rank < size; rank++) {
      const left = list[3 * rank]!;
      const right = list[3 * rank + 1]!;
      const at = this.#slot(left, right);
      this.#table[at] = left;
      this.#table[at + 1] = right;
      // A pair that stands twice has its last rank.
      this.#table[at + 2] = rank;
    }
  }

  /** The rank of a pair, or −1 where it does not merge. */
  rank(left: number, right: number): number {
    return this.#table[this.#slot(left, right) + 2]!;
  }

  /** The id that the merge of a rank makes. */
  made(rank: number): number {
    return this.list[3 * rank + 2]!;
  }

  #slot(left: number, right: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    let at = (Math.imul(Math.imul(left, golden) ^ right, golden) >>> this.#shift) << 2;
    while (table[at]! >= 0 && (table[at] !== left || table[at + 1] !== right)) at = (at + 4) & mask;
    return at;
  }
}
