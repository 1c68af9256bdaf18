import { InputError } from '@headwise/core';
import type { Network } from './network.js';

/**
 * Throws where a rule begins with itself, which would be entered without end.
 *
 * @throws InputError naming the rule
 */
export function checkLeftRecursion(network: Network): void {
  const mayBeEmpty = nullableRules(network);
  const state = network.starts.map(() => 'new' as 'new' | 'open' | 'done');
  const visit = (rule: number): void => {
    if (state[rule] === 'done') return;
    if (state[rule] === 'open') {
      const name = network.names[rule]!;
      const shown = name.startsWith('\0') ? 'a repeated part' : `rule ${name}`;
      throw new InputError(
        `grammar: ${shown} begins with itself (left recursion); expected a repetition, such as (...)*`,
      );
    }
    state[rule] = 'open';
    for (const called of firstCalls(network, rule, mayBeEmpty)) visit(called);
    state[rule] = 'done';
  };
  for (const rule of network.starts.keys()) visit(rule);
}

/** The rules that are called before the first byte. */
function firstCalls(network: Network, rule: number, mayBeEmpty: ReadonlySet<number>): Set<number> {
  const called = new Set<number>();
  const seen = new Set([network.starts[rule]!]);
  for (const position of seen) {
    for (const to of network.epsilons[position]!) seen.add(to);
    for (const call of network.calls[position]!) {
      called.add(call.rule);
      if (mayBeEmpty.has(call.rule)) seen.add(call.to);
    }
  }
  return called;
}

function nullableRules(network: Network): Set<number> {
  const found = new Set<number>();
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const [rule, start] of network.starts.entries()) {
      const seen = new Set([start]);
      for (const position of seen) {
        for (const to of network.epsilons[position]!) seen.add(to);
        for (const call of network.calls[position]!) if (found.has(call.rule)) seen.add(call.to);
      }
      if (seen.has(network.ends[rule]!)) found.add(rule);
    }
  }
  return found;
}
