import { TokenizerError } from '../errors.js';
import type { CharSet } from './char-set.js';
import type { Assertion, Node } from './parse.js';

/** One step of a matcher. */
export type Instruction =
  | { op: 'set'; set: CharSet; next: number }
  /** The character before, and on from there: within a look-behind. */
  | { op: 'set-before'; set: CharSet; next: number }
  /** Tries `next`, then `other`; `state` numbers these steps, whose failures are remembered. */
  | { op: 'split'; next: number; other: number; state: number }
  | { op: 'assert'; assert: Assertion; next: number }
  /** Whether the character before is of a set. */
  | { op: 'behind'; set: CharSet; negative: boolean; next: number }
  /** Runs the steps from `body` on their own. */
  | { op: 'look'; body: number; negative: boolean; next: number }
  | { op: 'atomic'; body: number; next: number }
  | { op: 'match' };

export interface Program {
  instructions: Instruction[];
  start: number;
  /** How many `split`s there are. */
  states: number;
  /** Whether there are looks of more than one character. */
  looks: boolean;
}

const maxInstructions = 20_000;

/**
 * Turns a pattern into steps, from its end to its start.
 *
 * @throws TokenizerError where counted repeats make it longer than 20,000 steps, or a look-behind holds a look-ahead or
 *   an atomic group
 */
export function compile(node: Node, source: string): Program {
  const instructions: Instruction[] = [];
  let states = 0;
  let looks = false;
  const refuse = (what: string): never => {
    throw new TokenizerError(
      `pattern '${source.slice(0, 200)}': cannot use ${what} inside a look-behind`,
    );
  };
  const add = (instruction: Instruction): number => {
    if (instructions.length >= maxInstructions) {
      throw new TokenizerError(
        `pattern '${source.slice(0, 200)}': has more than ${maxInstructions} steps`,
      );
    }
    return instructions.push(instruction) - 1;
  };
  const split = (first: number, second: number, greedy: boolean): number =>
    add({
      op: 'split',
      next: greedy ? first : second,
      other: greedy ? second : first,
      state: states++,
    });

  // A repeat of an empty pattern adds no step, but must terminate.
  let emitted = 0;
  /** @param back the part is read from its end to its start, as a look-behind is */
  const emit = (part: Node, next: number, back = false): number => {
    if (++emitted > 10 * maxInstructions) {
      throw new TokenizerError(
        `pattern '${source.slice(0, 200)}': has more than ${10 * maxInstructions} parts, repeats counted`,
      );
    }
    switch (part.kind) {
      case 'set':
        return add({ op: back ? 'set-before' : 'set', set: part.set, next });
      case 'assert':
        return add({ op: 'assert', assert: part.assert, next });
      case 'behind': {
        const { node, negative } = part;
        if (node.kind === 'set') return add({ op: 'behind', set: node.set, negative, next });
        looks = true;
        const body = emit(node, add({ op: 'match' }), true);
        return add({ op: 'look', body, negative, next });
      }
      case 'look': {
        if (back) refuse('a look-ahead');
        looks = true;
        const body = emit(part.node, add({ op: 'match' }));
        return add({ op: 'look', body, negative: part.negative, next });
      }
      case 'atomic':
        if (back) refuse('an atomic group or possessive repeat');
        return add({ op: 'atomic', body: emit(part.node, add({ op: 'match' })), next });
      case 'sequence':
        return back
          ? part.parts.reduce((after, child) => emit(child, after, true), next)
          : part.parts.reduceRight((after, child) => emit(child, after), next);
      case 'choice':
        return part.options
          .map((option) => emit(option, next, back))
          .reduceRight((second, first) => split(first, second, true));
      case 'repeat':
        return emitRepeat(part, next, back);
    }
  };

  const emitRepeat = (part: Node & { kind: 'repeat' }, next: number, back: boolean): number => {
    let at = next;
    if (part.max === Number.POSITIVE_INFINITY) {
      const loop = add({ op: 'split', next: 0, other: 0, state: states++ });
      const body = emit(part.node, loop, back);
      Object.assign(instructions[loop]!, {
        next: part.greedy ? body : next,
        other: part.greedy ? next : body,
      });
      at = loop;
    } else {
      for (let i = part.min; i < part.max; i++)
        at = split(emit(part.node, at, back), next, part.greedy);
    }
    for (let i = 0; i < part.min; i++) at = emit(part.node, at, back);
    return at;
  };

  const start = emit(node, add({ op: 'match' }));
  return { instructions, start, states, looks };
}
