import { InputError } from '@headwise/core';
import { allChars, complement, union } from './char-ranges.js';
import {
  type CharRange,
  chars,
  choice,
  type Expression,
  literal,
  type Rules,
  renamed,
  repeat,
  rule,
  sequence,
} from './expression.js';
import { parseSchema } from './schema/schema.js';

/**
 * Reads a grammar together with JSON schemas, whose texts are further rules of the grammar.
 *
 * @throws InputError as `parseEbnf` and `parseSchema` do, and for a schema with the name of a rule
 */
export function parseEbnfWithSchemas(
  text: string,
  schemas: Readonly<Record<string, unknown>>,
): Rules {
  const rules = new Map(parseEbnf(text));
  for (const [name, schema] of Object.entries(schemas)) {
    if (rules.has(name)) {
      throw new InputError(`ebnf: ${name} is a rule and a schema; expected different names`);
    }
    // No name of a rule has a space.
    const inside = (old: string) => (old === 'root' ? name : `${name} ${old}`);
    for (const [old, expression] of parseSchema(schema)) {
      rules.set(inside(old), renamed(expression, inside));
    }
  }
  return rules;
}

/**
 * Reads a grammar in the EBNF of XGrammar and llama.cpp (GBNF): rules `name ::= …`; `root` matches the whole text. It takes
 * `"text"`, `[a-z]`, `[^a-z]`, `.`, `( )`, `|`, `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}`, and comments after `#`.
 *
 * @throws InputError with line and column
 */
export function parseEbnf(text: string): Rules {
  return new Parser(text).rules();
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };
const hexDigits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  rules(): Rules {
    const rules = new Map<string, Expression>();
    for (this.#skip(); this.#at < this.#text.length; this.#skip()) {
      const name = this.#name() ?? this.#fail('the name of a rule');
      if (rules.has(name)) throw new InputError(`ebnf: rule ${name} is defined twice`);
      this.#skip();
      this.#expect('::=');
      rules.set(name, this.#choice());
    }
    if (!rules.has('root'))
      throw new InputError('ebnf: no rule root; expected one, the whole text');
    return rules;
  }

  #choice(): Expression {
    const parts = [this.#sequence()];
    for (this.#skip(); this.#take('|'); this.#skip()) parts.push(this.#sequence());
    return choice(...parts);
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    for (;;) {
      this.#skip();
      const part = this.#element();
      if (!part) return sequence(...parts);
      parts.push(this.#repeated(part));
    }
  }

  /** Undefined at the end of a sequence. */
  #element(): Expression | undefined {
    if (this.#take('"')) return this.#string();
    if (this.#take('[')) return this.#class();
    if (this.#take('.')) return chars(allChars);
    if (this.#take('(')) {
      const inner = this.#choice();
      this.#skip();
      this.#expect(')');
      return inner;
    }
    const before = this.#at;
    const name = this.#name();
    if (name === undefined) {
      const ends = this.#at >= this.#text.length || '|)'.includes(this.#text[this.#at]!);
      return ends ? undefined : this.#fail('an expression');
    }
    // The name of the next rule ends this one.
    const after = this.#at;
    this.#skip();
    const isNext = this.#text.startsWith('::=', this.#at);
    this.#at = isNext ? before : after;
    return isNext ? undefined : rule(name);
  }

  #repeated(part: Expression): Expression {
    if (this.#take('*')) return repeat(part, 0);
    if (this.#take('+')) return repeat(part, 1);
    if (this.#take('?')) return repeat(part, 0, 1);
    const bounds = /^\{\s*(\d+)\s*(?:(,)\s*(\d*)\s*)?\}/.exec(
      this.#text.slice(this.#at, this.#at + 64),
    );
    if (!bounds) return part;
    const [all, least, comma, most] = bounds;
    this.#at += all.length;
    const from = Number(least);
    const to = comma ? (most ? Number(most) : Number.POSITIVE_INFINITY) : from;
    if (to < from) this.#fail(`{n,m} with n ≤ m before this, not ${all}`);
    return repeat(part, from, to);
  }

  #string(): Expression {
    let text = '';
    while (!this.#take('"')) text += String.fromCodePoint(this.#char());
    return literal(text);
  }

  #class(): Expression {
    const negated = this.#take('^');
    const ranges: CharRange[] = [];
    while (!this.#take(']')) {
      const first = this.#char();
      const isRange = this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']';
      if (isRange) this.#at++;
      const last = isRange ? this.#char() : first;
      if (last < first)
        this.#fail('a range whose first character is not after its last, before this');
      ranges.push([first, last]);
    }
    const all = union(ranges);
    return chars(negated ? complement(all) : all);
  }

  /** A character of a string or class, escaped or not. */
  #char(): number {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined || code === 0x0a)
      this.#fail('the end of the string or class in its line');
    this.#at += code! > 0xffff ? 2 : 1;
    if (code !== 0x5c) return code!;
    const letter = this.#text[this.#at++] ?? this.#fail('a character after \\');
    const digits = hexDigits[letter];
    if (digits === undefined) return (escapes[letter] ?? letter).codePointAt(0)!;
    const hex = this.#text.slice(this.#at, this.#at + digits);
    const value = Number.parseInt(hex, 16);
    if (!/^[0-9A-Fa-f]+$/.test(hex) || hex.length < digits || value > 0x10ffff) {
      this.#fail(`${digits} hexadecimal digits of a character`);
    }
    this.#at += digits;
    return value;
  }

  #name(): string | undefined {
    const name = /^[A-Za-z_][A-Za-z0-9_-]*/.exec(this.#text.slice(this.#at, this.#at + 256))?.[0];
    this.#at += name?.length ?? 0;
    return name;
  }

  /** Skips white space and comments. */
  #skip(): void {
    const white = /(?:\s|#[^\n]*)*/y;
    white.lastIndex = this.#at;
    this.#at += white.exec(this.#text)![0].length;
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) this.#fail(text);
  }

  #fail(expected: string): never {
    const lines = this.#text.slice(0, this.#at).split('\n');
    const found = this.#text.slice(this.#at, this.#at + 12);
    throw new InputError(
      `ebnf: line ${lines.length}, column ${lines.at(-1)!.length + 1}: ${found === '' ? 'the end' : JSON.stringify(found)}; expected ${expected}`,
    );
  }
}
