import { checkWhole, DataError } from './errors.js';

/** A part of a document: its tokens from `start` to before `end`. */
export interface Piece {
  /** The document's number. */
  readonly document: number;
  readonly start: number;
  readonly end: number;
}

export interface PackingOptions {
  /** The most tokens of a row. */
  length: number;
  /**
   * `best-fit` (default): best-fit decreasing, which cuts no document that fits a row; `concatenate`: documents one after the other, cut where a
   * row is full.
   */
  strategy?: 'best-fit' | 'concatenate' | undefined;
  /** What becomes of documents longer than a row under `best-fit`: further pieces (`split`, default), or nothing (`truncate`). */
  overflow?: 'split' | 'truncate' | undefined;
}

/**
 * Packs documents into rows, by their lengths: the rows of TRL's `pack_dataset`.
 *
 * Best-fit decreasing takes the longest piece first and puts it into the row with the least space that it fits; equal lengths keep their order.
 * It takes `O(n log length)` steps.
 *
 * @param lengths the tokens of each document
 * @returns the pieces of each row, in order
 * @throws DataError for a length that is not a whole number of at least 1, and without documents
 * @see Ding et al. 2024, Fewer Truncations Improve Language Modeling, https://arxiv.org/abs/2404.10830
 */
export function packLengths(
  lengths: ArrayLike<number>,
  { length, strategy = 'best-fit', overflow = 'split' }: PackingOptions,
): Piece[][] {
  checkWhole('length', length, 1);
  if (lengths.length === 0) throw new DataError('there are no documents, expected at least one');
  for (let n = 0; n < lengths.length; n++)
    checkWhole(`the length of document ${n}`, lengths[n]!, 1);
  if (strategy === 'concatenate') return concatenated(lengths, length);
  const pieces = Array.from(lengths).flatMap((tokens, document) =>
    overflow === 'split'
      ? cut(document, tokens, length)
      : [{ document, start: 0, end: Math.min(tokens, length) }],
  );
  return bestFit(pieces, length);
}

function cut(document: number, tokens: number, length: number): Piece[] {
  const pieces: Piece[] = [];
  for (let start = 0; start < tokens; start += length) {
    pieces.push({ document, start, end: Math.min(tokens, start + length) });
  }
  return pieces;
}

function concatenated(lengths: ArrayLike<number>, length: number): Piece[][] {
  const rows: Piece[][] = [];
  let space = 0;
  for (let document = 0; document < lengths.length; document++) {
    for (let start = 0; start < lengths[document]!; ) {
      if (space === 0) {
        rows.push([]);
        space = length;
      }
      const end = Math.min(lengths[document]!, start + space);
      rows.at(-1)!.push({ document, start, end });
      space -= end - start;
      start = end;
    }
  }
  return rows;
}

function bestFit(pieces: readonly Piece[], length: number): Piece[][] {
  const rows: Piece[][] = [];
  const spaces = new Spaces(length);
  const tokens = ({ start, end }: Piece) => end - start;
  for (const piece of pieces.toSorted((a, b) => tokens(b) - tokens(a))) {
    const found = spaces.take(tokens(piece));
    const { row, space } = found ?? { row: rows.push([]) - 1, space: length };
    rows[row]!.push(piece);
    spaces.put(row, space - tokens(piece));
  }
  return rows;
}

/** Rows by the space that they have left, and which spaces there are, in a tree of maxima. */
class Spaces {
  readonly #rows: { list: number[]; first: number }[];
  /** Node `i` has the children `2 i` and `2 i + 1`; the leaf of space `s` is `size + s`. */
  readonly #most: Int32Array;
  readonly #size: number;

  constructor(length: number) {
    this.#size = 2 ** Math.ceil(Math.log2(length + 1));
    this.#most = new Int32Array(2 * this.#size);
    this.#rows = Array.from({ length: length + 1 }, () => ({ list: [], first: 0 }));
  }

  put(row: number, space: number): void {
    if (space === 0) return;
    this.#rows[space]!.list.push(row);
    this.#mark(space, space);
  }

  /** The row with the least space of at least `wanted`, which has it no more; of equals the first that was put. */
  take(wanted: number): { row: number; space: number } | undefined {
    if (this.#most[1]! < wanted) return undefined;
    let node = 1;
    while (node < this.#size) node = this.#most[2 * node]! >= wanted ? 2 * node : 2 * node + 1;
    const space = node - this.#size;
    const rows = this.#rows[space]!;
    const row = rows.list[rows.first++]!;
    if (rows.first === rows.list.length) {
      this.#rows[space] = { list: [], first: 0 };
      this.#mark(space, 0);
    }
    return { row, space };
  }

  #mark(space: number, value: number): void {
    let node = this.#size + space;
    this.#most[node] = value;
    for (node >>= 1; node > 0; node >>= 1) {
      this.#most[node] = Math.max(this.#most[2 * node]!, this.#most[2 * node + 1]!);
    }
  }
}
