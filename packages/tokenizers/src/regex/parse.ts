import { TokenizerError } from '../errors.js';
import { CharSet } from './char-set.js';

/** What a pattern consists of. */
export type Node =
  | { kind: 'set'; set: CharSet }
  | { kind: 'sequence'; parts: Node[] }
  | { kind: 'choice'; options: Node[] }
  | { kind: 'repeat'; node: Node; min: number; max: number; greedy: boolean }
  | { kind: 'atomic'; node: Node }
  | { kind: 'look'; node: Node; negative: boolean }
  | { kind: 'behind'; node: Node; negative: boolean }
  | { kind: 'assert'; assert: Assertion };

export type Assertion = 'start' | 'end' | 'line-start' | 'line-end' | 'boundary' | 'no-boundary';

const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7, e: 27 };
const asserts: Readonly<Record<string, Assertion>> = {
  A: 'start',
  z: 'end',
  b: 'boundary',
  B: 'no-boundary',
};
const classes: Readonly<Record<string, string>> = {
  s: 'space',
  d: 'digit',
  w: 'word',
  h: 'xdigit',
};
/** Outside of brackets Oniguruma has ², ³, ¹, ¼, ½ and ¾ among the characters of words, but no other such number. */
export const wordCharacters: CharSet = CharSet.union([
  CharSet.property('word')!,
  CharSet.of(0xb2, 0xb3, 0xb9, 0xbc, 0xbd, 0xbe),
]);
const anyCharacter = CharSet.of(10).negated();

/**
 * Reads a pattern in Oniguruma's syntax; refuses what it cannot run: back-references, and look-aheads and atomic groups
 * inside a look-behind.
 */
export class PatternParser {
  readonly #chars: number[];
  #at = 0;
  #ignoreCase = false;
  #dotAll = false;
  #depth = 0;

  constructor(readonly source: string) {
    this.#chars = Array.from(source, (char) => char.codePointAt(0)!);
  }

  /** @throws TokenizerError naming the pattern and what is wrong with it */
  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#chars.length) this.#refuse("an unopened ')'");
    return node;
  }

  #choice(): Node {
    if (++this.#depth > 200) this.#refuse('more than 200 nested groups');
    const ignoreCase = this.#ignoreCase;
    const dotAll = this.#dotAll;
    const options = [this.#sequence()];
    while (this.#take('|')) options.push(this.#sequence());
    this.#ignoreCase = ignoreCase;
    this.#dotAll = dotAll;
    this.#depth--;
    return options.length === 1 ? options[0]! : { kind: 'choice', options };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#chars.length && !this.#sees('|') && !this.#sees(')')) {
      parts.push(this.#quantified());
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts };
  }

  #quantified(): Node {
    let node = this.#atom();
    for (let repeats = 0; ; repeats++) {
      if (repeats > 20) this.#refuse('more than 20 repeats of one part');
      const from = this.#at;
      let range: [min: number, max: number] | undefined;
      if (this.#take('*')) range = [0, Number.POSITIVE_INFINITY];
      else if (this.#take('+')) range = [1, Number.POSITIVE_INFINITY];
      else if (this.#take('?')) range = [0, 1];
      else range = this.#braces();
      if (!range) return node;
      const braced = this.#chars[from] === 0x7b;
      const [min, max] = range;
      const greedy = !this.#take('?');
      node = { kind: 'repeat', node, min, max, greedy };
      // `{n,m}+` is not a possessive form in Oniguruma's own syntax.
      if (greedy && !braced && this.#take('+')) node = { kind: 'atomic', node };
    }
  }

  #braces(): [min: number, max: number] | undefined {
    const rest = String.fromCodePoint(...this.#chars.slice(this.#at, this.#at + 24));
    const match = /^\{(?:(\d{1,6})(,(\d{1,6})?)?|,(\d{1,6}))\}/.exec(rest);
    if (!match) return undefined;
    this.#at += match[0].length;
    if (match[4] !== undefined) return [0, Number(match[4])];
    const min = Number(match[1]);
    const max = match[3] ? Number(match[3]) : match[2] ? Number.POSITIVE_INFINITY : min;
    if (max < min) this.#refuse(`'${match[0]}'`);
    return [min, max];
  }

  #atom(): Node {
    if (this.#take('(')) return this.#group();
    if (this.#take('[')) return { kind: 'set', set: this.#cased(this.#set()) };
    if (this.#take('.')) {
      return { kind: 'set', set: this.#dotAll ? new CharSet(() => true) : anyCharacter };
    }
    if (this.#take('^')) return { kind: 'assert', assert: 'line-start' };
    if (this.#take('$')) return { kind: 'assert', assert: 'line-end' };
    if (this.#sees('*') || this.#sees('+') || this.#sees('?')) this.#refuse('nothing to repeat');
    if (this.#take('\\')) {
      const assert = asserts[this.#peek()];
      if (assert) {
        this.#at++;
        return { kind: 'assert', assert };
      }
      if (/[1-9kgGKRXZ]/.test(this.#peek())) this.#refuse(`'\\${this.#peek()}'`);
      if (this.#take('w')) return { kind: 'set', set: wordCharacters };
      if (this.#take('W')) return { kind: 'set', set: wordCharacters.negated() };
      return { kind: 'set', set: this.#cased(this.#escape()) };
    }
    return { kind: 'set', set: this.#cased(CharSet.of(this.#chars[this.#at++]!)) };
  }

  #group(): Node {
    if (!this.#take('?')) return this.#closed(this.#choice());
    if (this.#take(':')) return this.#closed(this.#choice());
    if (this.#take('>')) return { kind: 'atomic', node: this.#closed(this.#choice()) };
    if (this.#take('='))
      return { kind: 'look', node: this.#closed(this.#choice()), negative: false };
    if (this.#take('!'))
      return { kind: 'look', node: this.#closed(this.#choice()), negative: true };
    if (this.#take('<')) {
      const negative = this.#sees('!');
      if (negative || this.#sees('=')) {
        this.#at++;
        return { kind: 'behind', node: this.#closed(this.#choice()), negative };
      }
      while (this.#at < this.#chars.length && !this.#take('>')) this.#at++;
      return this.#closed(this.#choice());
    }
    return this.#flags();
  }

  /** `(?i:…)`, or `(?i)` for the rest of the group. */
  #flags(): Node {
    const before = [this.#ignoreCase, this.#dotAll] as const;
    let on = true;
    for (;;) {
      if (this.#take('-')) on = false;
      else if (this.#take('i')) this.#ignoreCase = on;
      else if (this.#take('m')) this.#dotAll = on;
      else if (this.#take(')')) return { kind: 'sequence', parts: [] };
      else if (this.#take(':')) {
        const node = this.#closed(this.#choice());
        [this.#ignoreCase, this.#dotAll] = before;
        return node;
      } else this.#refuse(`'(?${this.#peek()}'`);
    }
  }

  #closed(node: Node): Node {
    if (!this.#take(')')) this.#refuse("an unclosed '('");
    return node;
  }

  #set(): CharSet {
    if (++this.#depth > 200) this.#refuse('more than 200 nested groups');
    const negative = this.#take('^');
    const all: CharSet[] = [];
    let items: CharSet[] = [];
    for (let first = true; ; first = false) {
      if (this.#at >= this.#chars.length) this.#refuse("an unclosed '['");
      if (!first && this.#take(']')) break;
      if (this.#take('&', '&')) {
        all.push(CharSet.union(items));
        items = [];
      } else items.push(this.#setItem());
    }
    const set = CharSet.intersection([...all, CharSet.union(items)]);
    this.#depth--;
    return negative ? set.negated() : set;
  }

  #setItem(): CharSet {
    if (this.#take('[', ':')) {
      let name = '';
      while (this.#at < this.#chars.length && !this.#sees(':')) {
        name += String.fromCodePoint(this.#chars[this.#at++]!);
      }
      if (!this.#take(':', ']')) this.#refuse("an unclosed '[:'");
      return CharSet.property(name) ?? this.#refuse(`'[:${name}:]'`);
    }
    if (this.#take('[')) return this.#set();
    const low = this.#setChar();
    if (typeof low !== 'number') return low;
    if (!this.#sees('-') || this.#chars[this.#at + 1] === 0x5d) return CharSet.of(low);
    this.#at++;
    const high = this.#setChar();
    if (typeof high !== 'number' || high < low) this.#refuse('a range that runs backwards');
    return CharSet.range(low, high as number);
  }

  #setChar(): CharSet | number {
    if (!this.#take('\\')) return this.#chars[this.#at++]!;
    if (this.#take('b')) return 8;
    const from = this.#at;
    if (/[pPsSdDwWhH]/.test(this.#peek())) return this.#escape();
    this.#at = from;
    return this.#codePoint();
  }

  #escape(): CharSet {
    const name = this.#peek();
    if (name === 'p' || name === 'P') {
      this.#at++;
      if (!this.#take('{')) this.#refuse(`'\\${name}' without braces`);
      let property = '';
      while (this.#at < this.#chars.length && !this.#sees('}')) {
        property += String.fromCodePoint(this.#chars[this.#at++]!);
      }
      if (!this.#take('}')) this.#refuse("an unclosed '{'");
      const set = CharSet.property(property) ?? this.#refuse(`property '${property}'`);
      return name === 'P' ? set.negated() : set;
    }
    const known = classes[name.toLowerCase()];
    if (known === undefined) return CharSet.of(this.#codePoint());
    this.#at++;
    const set = CharSet.property(known)!;
    return name === name.toLowerCase() ? set : set.negated();
  }

  /** The character of an escape, after its backslash. */
  #codePoint(): number {
    if (this.#at >= this.#chars.length) this.#refuse('a backslash at its end');
    const rest = String.fromCodePoint(...this.#chars.slice(this.#at, this.#at + 12));
    const hex = /^(?:x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4}))/.exec(rest);
    if (hex) {
      this.#at += hex[0].length;
      return Number.parseInt((hex[1] ?? hex[2] ?? hex[3])!, 16);
    }
    const char = this.#chars[this.#at++]!;
    const name = String.fromCodePoint(char);
    if (/[A-Za-z]/.test(name) && escapes[name] === undefined) this.#refuse(`'\\${name}'`);
    return name === '0' ? 0 : (escapes[name] ?? char);
  }

  #cased(set: CharSet): CharSet {
    return this.#ignoreCase ? set.ignoringCase() : set;
  }

  #peek(): string {
    const char = this.#chars[this.#at];
    return char === undefined ? '' : String.fromCodePoint(char);
  }

  #sees(char: string): boolean {
    return this.#chars[this.#at] === char.charCodeAt(0);
  }

  #take(...chars: string[]): boolean {
    if (!chars.every((char, i) => this.#chars[this.#at + i] === char.charCodeAt(0))) return false;
    this.#at += chars.length;
    return true;
  }

  #refuse(what: string): never {
    throw new TokenizerError(`pattern '${this.source.slice(0, 200)}': cannot use ${what}`);
  }
}
