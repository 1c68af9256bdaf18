import { type AST, RegExpParser } from '@eslint-community/regexpp';
import { InputError } from '@headwise/core';
import { allChars, complement, rangesWhere, union } from './char-ranges.js';
import {
  both,
  type CharRange,
  chars,
  choice,
  type Expression,
  repeat,
  sequence,
} from './expression.js';

/** Any text. */
export const anyText: Expression = repeat(chars(allChars), 0);

/** Texts of a part, which has no rules, with a number of characters. */
export const limited = (part: Expression, least: number, most: number): Expression =>
  both(part, repeat(chars(allChars), least, most));

/**
 * The texts that a regular expression matches, in ECMAScript's syntax with its flag `u`.
 *
 * @param within `whole`: the whole text matches; `part`: some part of it, unless `^` and `$` say otherwise
 * @throws InputError for a syntax error, and naming what regular languages lack: look-around, back-references, assertions within
 * @see https://tc39.es/ecma262/#sec-patterns
 */
export function parseRegex(pattern: string, within: 'whole' | 'part', what = 'regex'): Expression {
  let parsed: AST.Pattern;
  try {
    parsed = new RegExpParser().parsePattern(pattern, 0, pattern.length, { unicode: true });
  } catch (error) {
    throw new InputError(`${what}: ${(error as Error).message}`);
  }
  const refuse = (node: AST.Node, why: string): never => {
    throw new InputError(`${what}: ${node.raw} of /${pattern}/ ${why}`);
  };
  const reader = new Reader(refuse);
  return choice(
    ...parsed.alternatives.map(({ elements }) => {
      const starts = isAssertion(elements[0], 'start');
      const ends = elements.length > Number(starts) && isAssertion(elements.at(-1), 'end');
      const inner = elements.slice(starts ? 1 : 0, ends ? -1 : undefined).map(reader.element);
      if (within === 'whole') return sequence(...inner);
      return sequence(...(starts ? [] : [anyText]), ...inner, ...(ends ? [] : [anyText]));
    }),
  );
}

const isAssertion = (element: AST.Element | undefined, kind: 'start' | 'end'): boolean =>
  element?.type === 'Assertion' && element.kind === kind;

/** Makes expressions of the elements of a pattern. */
class Reader {
  readonly #refuse: (node: AST.Node, why: string) => never;

  constructor(refuse: (node: AST.Node, why: string) => never) {
    this.#refuse = refuse;
  }

  readonly element = (node: AST.Element): Expression => {
    switch (node.type) {
      case 'Character':
        return chars([[node.value, node.value]]);
      case 'CharacterSet':
      case 'CharacterClass':
        return chars(this.#ranges(node));
      case 'Group':
      case 'CapturingGroup':
        return choice(
          ...node.alternatives.map(({ elements }) => sequence(...elements.map(this.element))),
        );
      case 'Quantifier':
        return repeat(this.element(node.element), node.min, node.max);
      case 'Assertion':
        return this.#refuse(
          node,
          'is an assertion; expected ^ at the beginning and $ at the end of the pattern only',
        );
      default:
        return this.#refuse(
          node,
          'is not part of regular languages; expected a pattern without it',
        );
    }
  };

  #ranges(
    node: AST.CharacterSet | AST.CharacterClass | AST.CharacterClassElement,
  ): readonly CharRange[] {
    switch (node.type) {
      case 'Character':
        return [[node.value, node.value]];
      case 'CharacterClassRange':
        return [[node.min.value, node.max.value]];
      case 'CharacterClass': {
        const all = union(node.elements.flatMap((element) => this.#ranges(element)));
        return node.negate ? complement(all) : all;
      }
      case 'CharacterSet':
        return rangesOfSet(node.raw);
      default:
        return this.#refuse(node, 'is not supported in a class of characters');
    }
  }
}

const knownSets = new Map<string, readonly CharRange[]>();

/** The characters of `.`, `\d`, `\p{…}` and the like, as the engine of this machine has them. */
function rangesOfSet(raw: string): readonly CharRange[] {
  let ranges = knownSets.get(raw);
  if (!ranges) {
    const pattern = new RegExp(`^${raw}$`, 'u');
    ranges = rangesWhere((char) => pattern.test(char));
    knownSets.set(raw, ranges);
  }
  return ranges;
}
