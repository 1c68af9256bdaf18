import { InputError } from '@headwise/core';
import { intersection, union } from '../char-ranges.js';
import {
  type CharRange,
  chars as charsOf,
  choice,
  type Expression,
  literal,
  type Rules,
  sequence,
} from '../expression.js';
import { type ByteRange, utf8Sequences } from './utf8.js';

/** The most positions of a network: bounds such as `maxLength` take one for each repetition. */
const mostPositions = 300_000;

/** A run of bytes that lead from one position to another. */
export interface ByteEdge {
  readonly low: number;
  readonly high: number;
  readonly to: number;
}

/** The texts of a rule lead from one position to another. */
export interface Call {
  readonly rule: number;
  readonly to: number;
}

/** Characters that lead from one position to another: what byte edges in between spell out. */
export interface CharEdge {
  readonly ranges: readonly CharRange[];
  readonly to: number;
}

/**
 * A grammar as a recursive transition network: each rule a nondeterministic automaton over bytes of UTF-8, whose edges may call
 * rules.
 *
 * @see Woods 1970, https://doi.org/10.1145/355598.362773
 */
export class Network {
  /** Of each position: where it leads without a byte. */
  readonly epsilons: number[][] = [];
  readonly edges: ByteEdge[][] = [];
  readonly calls: Call[][] = [];
  readonly chars: CharEdge[][] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** Of each rule, for errors. */
  readonly names: string[] = [];
  readonly #indices = new Map<string, number>();

  /** @throws InputError for a rule that is not defined, and beyond the greatest size */
  constructor(rules: Rules) {
    for (const name of ['root', ...rules.keys()]) this.#ruleOf(name);
    for (const [name, expression] of rules) {
      const index = this.#indices.get(name)!;
      link(this, expression, this.starts[index]!, this.ends[index]!);
    }
    for (const name of this.#indices.keys()) {
      if (!rules.has(name) && !name.startsWith('\0')) {
        throw new InputError(`grammar: rule ${name} is not defined`);
      }
    }
  }

  position(): number {
    if (this.edges.length >= mostPositions) {
      throw new InputError(
        `grammar: it takes more than ${mostPositions} positions; expected smaller bounds of repetitions`,
      );
    }
    this.epsilons.push([]);
    this.edges.push([]);
    this.calls.push([]);
    this.chars.push([]);
    return this.edges.length - 1;
  }

  epsilon(from: number, to: number): void {
    this.epsilons[from]!.push(to);
  }

  call(name: string, from: number, to: number): void {
    this.calls[from]!.push({ rule: this.#ruleOf(name), to });
  }

  /** A rule without a name, for a part that is repeated. */
  anonymous(part: Expression): string {
    const name = `\0${this.starts.length}`;
    const index = this.#ruleOf(name);
    link(this, part, this.starts[index]!, this.ends[index]!);
    return name;
  }

  char(ranges: readonly CharRange[], from: number, to: number): void {
    if (ranges.length === 0) return;
    this.chars[from]!.push({ ranges, to });
    const sequences = ranges.flatMap((range) => [...utf8Sequences(range)]);
    this.#spell(sequences, from, to, new Map());
  }

  /** Links byte sequences so that each byte leads to one position: sequences that begin alike share their edges. */
  #spell(
    sequences: readonly (readonly ByteRange[])[],
    from: number,
    to: number,
    shared: Map<string, number>,
  ): void {
    const cuts = [...new Set(sequences.flatMap(([head]) => [head![0], head![1] + 1]))].sort(
      (a, b) => a - b,
    );
    for (const [i, low] of cuts.slice(0, -1).entries()) {
      const tails = sequences
        .filter(([head]) => head![0] <= low && low <= head![1])
        .map(([, ...tail]) => tail);
      if (tails.length === 0) continue;
      const edge = { low, high: cuts[i + 1]! - 1 };
      if (tails.some(({ length }) => length === 0)) {
        this.edges[from]!.push({ ...edge, to });
        continue;
      }
      const key = tails.join(';');
      let next = shared.get(key);
      if (next === undefined) {
        next = this.position();
        shared.set(key, next);
        this.#spell(tails, next, to, shared);
      }
      this.edges[from]!.push({ ...edge, to: next });
    }
  }

  #ruleOf(name: string): number {
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    const index = this.starts.length;
    this.#indices.set(name, index);
    this.names.push(name);
    this.starts.push(this.position());
    this.ends.push(this.position());
    return index;
  }
}

/** What expressions are linked into: a network, or the characters of a part alone. */
interface Links {
  position(): number;
  epsilon(from: number, to: number): void;
  char(ranges: readonly CharRange[], from: number, to: number, escaped?: boolean): void;
  call(name: string, from: number, to: number): void;
  anonymous?(part: Expression): string;
}

function link(links: Links, expression: Expression, from: number, to: number): void {
  switch (expression.kind) {
    case 'chars': {
      const { ranges, escaped } = expression;
      if (escaped && links instanceof Network) linkEscaped(links, ranges, from, to);
      else links.char(ranges, from, to, escaped);
      return;
    }
    case 'sequence': {
      const { parts } = expression;
      let at = from;
      for (const [i, part] of parts.entries()) {
        const next = i === parts.length - 1 ? to : links.position();
        link(links, part, at, next);
        at = next;
      }
      if (parts.length === 0) links.epsilon(from, to);
      return;
    }
    case 'choice':
      for (const part of expression.parts) link(links, part, from, to);
      return;
    case 'repeat':
      linkRepeated(links, expression, from, to);
      return;
    case 'both':
      linkBoth(links, expression.parts, from, to);
      return;
    case 'rule':
      links.call(expression.name, from, to);
  }
}

/** Parts of more nodes than these, repeated more than once, become a rule of their own. */
const largestCopied = 4;

function linkRepeated(
  links: Links,
  { part, least, most }: Extract<Expression, { kind: 'repeat' }>,
  from: number,
  to: number,
): void {
  const copies = least + (Number.isFinite(most) ? most - least : 1);
  const isLarge = copies > 1 && sizeOf(part) > largestCopied;
  const body: Expression =
    isLarge && links.anonymous ? { kind: 'rule', name: links.anonymous(part) } : part;
  let at = from;
  const step = () => {
    const next = links.position();
    link(links, body, at, next);
    at = next;
  };
  for (let i = 0; i < least; i++) step();
  if (most === Number.POSITIVE_INFINITY) {
    const loop = links.position();
    links.epsilon(at, loop);
    link(links, body, loop, loop);
    at = loop;
  } else {
    for (let i = least; i < most; i++) {
      links.epsilon(at, to);
      step();
    }
  }
  links.epsilon(at, to);
}

function sizeOf(expression: Expression): number {
  switch (expression.kind) {
    case 'sequence':
    case 'choice':
    case 'both':
      return expression.parts.reduce((sum, part) => sum + sizeOf(part), 1);
    case 'repeat':
      return Math.max(1, Math.min(expression.most, 8)) * sizeOf(expression.part) + 1;
    default:
      return 1;
  }
}

/** The product of both parts' automata over characters. */
function linkBoth(
  links: Links,
  parts: readonly [Expression, Expression],
  from: number,
  to: number,
): void {
  const [a, b] = [new CharLinks(parts[0]), new CharLinks(parts[1])];
  const places = new Map<number, number>();
  const visit: [number, number][] = [];
  const placeOf = (inA: number, inB: number): number => {
    const key = inA * b.edges.length + inB;
    const known = places.get(key);
    if (known !== undefined) return known;
    const made = links.position();
    places.set(key, made);
    visit.push([inA, inB]);
    return made;
  };
  links.epsilon(from, placeOf(a.start, b.start));
  for (let next = visit.pop(); next; next = visit.pop()) {
    const [inA, inB] = next;
    const at = placeOf(inA, inB);
    for (const target of a.epsilons[inA]!) links.epsilon(at, placeOf(target, inB));
    for (const target of b.epsilons[inB]!) links.epsilon(at, placeOf(inA, target));
    if (inA === a.end && inB === b.end) links.epsilon(at, to);
    for (const edgeA of a.edges[inA]!) {
      for (const edgeB of b.edges[inB]!) {
        const ranges = intersection(edgeA.ranges, edgeB.ranges);
        if (ranges.length === 0) continue;
        const shared: Expression = { kind: 'chars', ranges, escaped: edgeA.escaped };
        link(links, shared, at, placeOf(edgeA.to, edgeB.to));
      }
    }
  }
}

/** An automaton over characters. */
class CharLinks implements Links {
  readonly epsilons: number[][] = [];
  readonly edges: { ranges: readonly CharRange[]; escaped: boolean | undefined; to: number }[][] =
    [];
  readonly start = this.position();
  readonly end = this.position();

  constructor(part: Expression) {
    link(this, part, this.start, this.end);
  }

  position(): number {
    this.epsilons.push([]);
    this.edges.push([]);
    return this.edges.length - 1;
  }

  epsilon(from: number, to: number): void {
    this.epsilons[from]!.push(to);
  }

  char(ranges: readonly CharRange[], from: number, to: number, escaped?: boolean): void {
    this.edges[from]!.push({ ranges, escaped, to });
  }

  call(name: string): never {
    throw new Error(`the rule ${name} within an intersection`);
  }
}

/** Characters of a JSON string that stand for themselves. */
const unescaped: readonly CharRange[] = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0xd7ff],
  [0xe000, 0x10ffff],
];
/** Characters that are written as a backslash and a letter of their own. */
const short = new Map([
  [0x22, '"'],
  [0x5c, '\\'],
  [0x08, 'b'],
  [0x0c, 'f'],
  [0x0a, 'n'],
  [0x0d, 'r'],
  [0x09, 't'],
]);
/** The others that must be escaped, `\\u0000` to `\\u001f`, by the last digit but one. */
const controls = [0, 1].map((high) =>
  Array.from({ length: 16 }, (_, low) => 16 * high + low).filter((code) => !short.has(code)),
);

function linkEscaped(
  network: Network,
  ranges: readonly CharRange[],
  from: number,
  to: number,
): void {
  network.char(intersection(ranges, unescaped), from, to);
  const has = (code: number) => ranges.some(([first, last]) => first <= code && code <= last);
  const letters = [...short].flatMap(([code, letter]) => (has(code) ? [letter] : []));
  const hex = controls.flatMap((codes, high) => {
    const digits = codes.filter(has).map((code) => (code & 15).toString(16));
    return digits.length > 0 ? [sequence(literal(`${high}`), oneOf(digits))] : [];
  });
  const forms = [
    ...(letters.length > 0 ? [oneOf(letters)] : []),
    ...(hex.length > 0 ? [sequence(literal('u00'), choice(...hex))] : []),
  ];
  if (forms.length > 0) link(network, sequence(literal('\\'), choice(...forms)), from, to);
}

const oneOf = (texts: readonly string[]): Expression =>
  charsOf(union(texts.map((text): CharRange => [text.charCodeAt(0), text.charCodeAt(0)])));
