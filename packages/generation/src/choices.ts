import { InputError } from '@headwise/core';
import type { Constraint, ConstraintState } from './constraint.js';

/** The answers that go on with the same ids. */
interface Node {
  readonly next: Map<number, Node>;
  /** Tokens of the shortest answer from here on; 0 where one ends. */
  rest: number;
}

/**
 * Restricts the output to a fixed set of answers, each a sequence of ids without end tokens.
 *
 * @throws InputError for no answers, and one without tokens
 * @example
 * const answers = ['yes', 'no'].map((text) => tokenizer.encode(text, { addSpecialTokens: false }).ids);
 * for await (const id of generate(network, prompt, { constraint: choices(answers) })) ids.push(id);
 */
export function choices(answers: readonly (readonly number[])[]): Constraint {
  if (answers.length === 0) throw new InputError('choices: no answers; expected at least one');
  const root: Node = { next: new Map(), rest: Number.POSITIVE_INFINITY };
  for (const [n, answer] of answers.entries()) {
    if (answer.length === 0) throw new InputError(`choices: answer ${n} has no tokens`);
    let node = root;
    for (const [i, id] of answer.entries()) {
      if (!(Number.isSafeInteger(id) && id >= 0)) {
        throw new InputError(`choices: answer ${n} has id ${id}; expected a whole number`);
      }
      node.rest = Math.min(node.rest, answer.length - i);
      const next = node.next.get(id) ?? { next: new Map(), rest: Number.POSITIVE_INFINITY };
      node.next.set(id, next);
      node = next;
    }
    node.rest = 0;
  }
  return { start: () => new ChoiceState(root) };
}

class ChoiceState implements ConstraintState {
  #node: Node;

  constructor(node: Node) {
    this.#node = node;
  }

  get rest(): number {
    return this.#node.rest;
  }

  get done(): boolean {
    return this.#node.next.size === 0;
  }

  mask(left: number): Uint32Array {
    const ids = [...this.#node.next].filter(([, { rest }]) => rest < left).map(([id]) => id);
    const mask = new Uint32Array(Math.floor(Math.max(-1, ...ids) / 32) + 1);
    for (const id of ids) mask[id >> 5]! |= 1 << (id & 31);
    return mask;
  }

  accept(id: number): void {
    const next = this.#node.next.get(id);
    if (!next) throw new InputError(`choices: no answer goes on with id ${id}`);
    this.#node = next;
  }

  clone(): ConstraintState {
    return new ChoiceState(this.#node);
  }
}
