const member = 1;
const nonMember = 2;

/** A set of code points, whose answers are remembered in pages of 256. */
export class CharSet {
  readonly #has: (codePoint: number) => boolean;
  /** By page and code point: `member`, `nonMember`, or 0 where it is not known yet. */
  readonly #pages: (Uint8Array | undefined)[] = [];

  constructor(has: (codePoint: number) => boolean) {
    this.#has = has;
  }

  has(codePoint: number): boolean {
    const page = this.#pages[codePoint >> 8] ?? this.#page(codePoint >> 8);
    const known = page[codePoint & 255];
    if (known !== 0) return known === member;
    const has = this.#has(codePoint);
    page[codePoint & 255] = has ? member : nonMember;
    return has;
  }

  negated(): CharSet {
    return new CharSet((codePoint) => !this.#has(codePoint));
  }

  /** The set with the other cases of its members. */
  ignoringCase(): CharSet {
    return new CharSet(
      (codePoint) => this.#has(codePoint) || casesOf(codePoint).some((other) => this.#has(other)),
    );
  }

  static of(...codePoints: number[]): CharSet {
    return new CharSet((codePoint) => codePoints.includes(codePoint));
  }

  static range(from: number, to: number): CharSet {
    return new CharSet((codePoint) => codePoint >= from && codePoint <= to);
  }

  static union(sets: readonly CharSet[]): CharSet {
    return new CharSet((codePoint) => sets.some((set) => set.#has(codePoint)));
  }

  static intersection(sets: readonly CharSet[]): CharSet {
    return new CharSet((codePoint) => sets.every((set) => set.#has(codePoint)));
  }

  /** The set of a Unicode property or POSIX class, or undefined where there is none of that name. */
  static property(name: string): CharSet | undefined {
    if (name.startsWith('^')) return CharSet.property(name.slice(1))?.negated();
    const known = posix[name.toLowerCase().replaceAll(/[ _-]/g, '')];
    if (known) return matching(known);
    if (!/^[A-Za-z_]+(?:=[A-Za-z_]+)?$/.test(name)) return undefined;
    for (const property of [name, titled(name)]) {
      for (const form of [property, `Script=${property}`, `General_Category=${property}`]) {
        try {
          return matching(new RegExp(`\\p{${form}}`, 'u'));
        } catch {}
      }
    }
    return undefined;
  }

  #page(page: number): Uint8Array {
    while (this.#pages.length <= page) this.#pages.push(undefined);
    const answers = new Uint8Array(256);
    this.#pages[page] = answers;
    return answers;
  }
}

const posix: Readonly<Record<string, RegExp>> = {
  alnum: /[\p{Alphabetic}\p{Nd}]/u,
  alpha: /\p{Alphabetic}/u,
  ascii: /\p{ASCII}/u,
  blank: /[\p{Zs}\t]/u,
  cntrl: /\p{Cc}/u,
  digit: /\p{Nd}/u,
  graph: /[^\p{White_Space}\p{Cc}\p{Cn}\p{Cs}]/u,
  lower: /\p{Lowercase}/u,
  print: /[\p{Zs}]|[^\p{White_Space}\p{Cc}\p{Cn}\p{Cs}]/u,
  punct: /[\p{P}\p{S}]/u,
  space: /\p{White_Space}/u,
  upper: /\p{Uppercase}/u,
  word: /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/u,
  xdigit: /[0-9A-Fa-f]/u,
};

const matching = (pattern: RegExp): CharSet =>
  new CharSet((codePoint) => pattern.test(String.fromCodePoint(codePoint)));

const titled = (name: string): string =>
  name.toLowerCase().replaceAll(/(?:^|_)[a-z]/g, (start) => start.toUpperCase());

/** Dotless i is not a case variant of I, although its upper case is I. */
const dotless = 0x131;

function casesOf(codePoint: number): number[] {
  if (codePoint === dotless) return [];
  const char = String.fromCodePoint(codePoint);
  const [low, high] = [char.toLowerCase(), char.toUpperCase()];
  return [low, high, low.toUpperCase(), high.toLowerCase()].flatMap((other) => {
    const first = other.codePointAt(0)!;
    return other.length === String.fromCodePoint(first).length ? [first] : [];
  });
}
