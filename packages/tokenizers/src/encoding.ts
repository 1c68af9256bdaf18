import { TokenizerError } from './errors.js';
import { checkMade, checkPairs } from './limits.js';
import type { Tokens } from './text/tokens.js';
import type { TokenNames } from './token-names.js';

/** What an encoding holds for each token; missing columns are all 0, but `attention` all 1. */
export interface Columns {
  ids: number[];
  /** `[start, end, start, end, …]` */
  bounds: number[];
  /** The word of each token, or −1. */
  words: number[];
  types?: number[] | undefined;
  special?: number[] | undefined;
  attention?: number[] | undefined;
  /** The text of each token where it is not that of its id. */
  surfaces?: ReadonlyMap<number, string> | undefined;
}

/** A text, or a pair of texts, as tokens. */
export class Encoding {
  readonly #columns: Columns;
  readonly #names: TokenNames;
  /** The parts that truncation cut off, each as long as the encoding may be. */
  readonly overflowing: readonly Encoding[];

  constructor(columns: Columns, names: TokenNames, overflowing: readonly Encoding[] = []) {
    this.#columns = columns;
    this.#names = names;
    this.overflowing = overflowing;
  }

  static fromTokens({ ids, bounds, words, surfaces }: Tokens, names: TokenNames): Encoding {
    return new Encoding({ ids, bounds, words, surfaces }, names);
  }

  get length(): number {
    return this.#columns.ids.length;
  }

  get ids(): number[] {
    return this.#columns.ids;
  }

  get tokens(): string[] {
    const { ids, surfaces } = this.#columns;
    return ids.map((id, i) => surfaces?.get(i) ?? this.#names.tokenOf(id) ?? '');
  }

  /**
   * Where each token lies in the text, in UTF-16 code units, so that `text.slice(start, end)` gives it; `[0, 0]` for
   * a token that is not from the text.
   */
  get offsets(): [start: number, end: number][] {
    const { bounds, ids } = this.#columns;
    return ids.map((_, i) => [bounds[2 * i]!, bounds[2 * i + 1]!]);
  }

  /** The number of each token's word in its text; null for a token that is not from the text. */
  get wordIds(): (number | null)[] {
    return this.#columns.words.map((word) => (word < 0 ? null : word));
  }

  /** Which text, or what the post-processor says, each token belongs to. */
  get typeIds(): number[] {
    return this.#columns.types ?? this.#columns.ids.map(() => 0);
  }

  /** 1 for each token that was added around the text. */
  get specialTokensMask(): number[] {
    return this.#columns.special ?? this.#columns.ids.map(() => 0);
  }

  /** 1 for each token, 0 for padding. */
  get attentionMask(): number[] {
    return this.#columns.attention ?? this.#columns.ids.map(() => 1);
  }

  /** Whether not all types are 0 for lack of any. */
  get hasTypes(): boolean {
    return this.#columns.types !== undefined;
  }

  /** The token of an id. */
  nameOf(id: number): string | undefined {
    return this.#names.tokenOf(id);
  }

  /** The same with other columns or overflowing parts. */
  with(columns: Partial<Columns>, overflowing: readonly Encoding[] = this.overflowing): Encoding {
    return new Encoding({ ...this.#columns, ...columns }, this.#names, overflowing);
  }

  /** An encoding of other columns, with the same names of tokens. */
  withColumns(columns: Columns): Encoding {
    return new Encoding(columns, this.#names);
  }

  /** The same with `change` applied to it and to its overflowing parts. */
  withAll(change: (encoding: Encoding) => Encoding): Encoding {
    return change(this).with({}, this.overflowing.map(change));
  }

  /** The same with each token's offsets changed. */
  mapOffsets(
    change: (token: string, bounds: [start: number, end: number], i: number) => [number, number],
  ): Encoding {
    const { offsets } = this;
    const bounds = this.tokens.flatMap((token, i) => change(token, offsets[i]!, i));
    return this.with({ bounds });
  }

  /** The tokens `[start, end)`, without overflowing parts. */
  slice(start: number, end: number): Encoding {
    const { ids, bounds, words, types, special, attention, surfaces } = this.#columns;
    return new Encoding(
      {
        ids: ids.slice(start, end),
        bounds: bounds.slice(2 * start, 2 * end),
        words: words.slice(start, end),
        ...(types && { types: types.slice(start, end) }),
        ...(special && { special: special.slice(start, end) }),
        ...(attention && { attention: attention.slice(start, end) }),
        ...(surfaces && { surfaces: cutSurfaces(surfaces, start, end) }),
      },
      this.#names,
    );
  }

  /** Encodings one behind the other; each overflowing part goes with each of the others'. */
  static concat(encodings: readonly Encoding[]): Encoding {
    if (encodings.length === 1) return encodings[0]!;
    if (encodings.every(({ overflowing }) => overflowing.length === 0)) return joined(encodings);
    const given = encodings.reduce((sum, { length }) => sum + length, 0);
    return encodings.reduce((first, second) => {
      const [a, b] = [first.overflowing.length + 1, second.overflowing.length + 1];
      checkPairs(a, b);
      const parts = a * b;
      checkMade('a pair of truncated texts', parts * (first.length + second.length), given);
      const pairs = [
        ...first.overflowing.flatMap((own) => [
          joined([own, second]),
          ...second.overflowing.map((other) => joined([own, other])),
        ]),
        ...second.overflowing.map((other) => joined([first, other])),
      ];
      return joined([first, second]).with({}, pairs);
    });
  }

  /** For `concat`: the columns as they are kept. */
  static columnsOf(encoding: Encoding): Columns {
    return encoding.#columns;
  }
}

/** Encodings one behind the other, without their overflowing parts. */
function joined(encodings: readonly Encoding[]): Encoding {
  const all = encodings.map((encoding) => Encoding.columnsOf(encoding));
  const optional = (name: 'types' | 'special' | 'attention', missing: number) =>
    all.some((columns) => columns[name])
      ? {
          [name]: flat(all.map((columns) => columns[name] ?? columns.ids.map(() => missing))),
        }
      : {};
  let surfaces: Map<number, string> | undefined;
  let from = 0;
  for (const columns of all) {
    for (const [i, surface] of columns.surfaces ?? []) {
      surfaces ??= new Map();
      surfaces.set(from + i, surface);
    }
    from += columns.ids.length;
  }
  return encodings[0]!.withColumns({
    ids: flat(all.map(({ ids }) => ids)),
    bounds: flat(all.map(({ bounds }) => bounds)),
    words: flat(all.map(({ words }) => words)),
    ...optional('types', 0),
    ...optional('special', 0),
    ...optional('attention', 1),
    ...(surfaces && { surfaces }),
  });
}

const flat = (parts: readonly (readonly number[])[]): number[] => ([] as number[]).concat(...parts);

/** The surfaces of the tokens `[start, end)`, counted from the first of these. */
function cutSurfaces(
  surfaces: ReadonlyMap<number, string>,
  start: number,
  end: number,
): Map<number, string> {
  const found = new Map<number, string>();
  for (const [i, surface] of surfaces) if (i >= start && i < end) found.set(i - start, surface);
  return found;
}

/**
 * Offsets in code points instead of UTF-16 code units, as Python counts.
 *
 * @param text the text that the offsets refer to
 * @throws TokenizerError where an offset lies outside the text
 */
export function codePointOffsets(
  text: string,
  offsets: readonly (readonly [start: number, end: number])[],
): [start: number, end: number][] {
  const counts = new Uint32Array(text.length + 1);
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    counts[i] = count;
    const isPair = text.codePointAt(i)! > 0xffff;
    if (isPair) counts[++i] = count;
    count++;
  }
  counts[text.length] = count;
  const at = (offset: number) => {
    if (offset >= 0 && offset <= text.length) return counts[offset]!;
    throw new TokenizerError(
      `codePointOffsets: offset ${offset} lies outside a text of ${text.length} code units`,
    );
  };
  return offsets.map(([start, end]) => [at(start), at(end)]);
}
