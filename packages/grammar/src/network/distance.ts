import type { Vocabulary } from '../automaton/vocabulary.js';
import type { CharEdge, Network } from './network.js';

/**
 * For each position a number of tokens that complete its rule, Infinity where none do: the least number that is known from tokens
 * of one byte, tokens of one character, and tokens along edges without a choice.
 *
 * From each position where it is finite, a token leads to one where it is less by one.
 *
 * @param vocabulary undefined: every byte is a token
 */
export function distancesOf(network: Network, vocabulary: Vocabulary | undefined): Float64Array {
  const count = network.edges.length;
  const jumps = vocabulary ? jumpsOf(network, vocabulary) : network.edges.map(byteJumps);
  const before: number[][] = Array.from({ length: count }, () => []);
  const callers: number[][] = network.starts.map(() => []);
  for (let from = 0; from < count; from++) {
    for (const to of jumps[from]!) before[to]!.push(from);
    for (const to of network.epsilons[from]!) before[to]!.push(from);
    for (const { rule, to } of network.calls[from]!) {
      before[to]!.push(from);
      callers[rule]!.push(from);
    }
  }
  const distances = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const ruleOfStart = new Map(network.starts.map((start, index) => [start, index]));
  const changed = new Set(network.ends);
  for (const end of network.ends) distances[end] = 0;
  for (const position of changed) {
    changed.delete(position);
    const rule = ruleOfStart.get(position);
    const others =
      rule === undefined ? before[position]! : [...before[position]!, ...callers[rule]!];
    for (const from of others) {
      let least = distances[from]!;
      for (const to of jumps[from]!) least = Math.min(least, 1 + distances[to]!);
      for (const to of network.epsilons[from]!) least = Math.min(least, distances[to]!);
      for (const { rule: called, to } of network.calls[from]!) {
        least = Math.min(least, distances[network.starts[called]!]! + distances[to]!);
      }
      if (least < distances[from]!) {
        distances[from] = least;
        changed.add(from);
      }
    }
  }
  return distances;
}

const byteJumps = (edges: readonly { to: number }[]): number[] => edges.map(({ to }) => to);

/** For each position those that a token leads to. */
function jumpsOf(network: Network, vocabulary: Vocabulary): number[][] {
  const single = Array.from({ length: 256 }, (_, byte) => {
    const node = vocabulary.child(0, byte);
    return node !== undefined && vocabulary.hasToken(node);
  });
  const wide = vocabulary.wideChars;
  return network.edges.map((edges, position) => {
    const to = new Set<number>();
    for (const edge of edges) {
      for (let byte = edge.low; byte <= edge.high; byte++) {
        if (!single[byte]) continue;
        to.add(edge.to);
        break;
      }
      if (edge.low === edge.high) addAlong(network, vocabulary, edge.low, edge.to, to);
    }
    for (const edge of network.chars[position]!) if (hasAny(wide, edge)) to.add(edge.to);
    return [...to];
  });
}

/** Adds what tokens lead to that begin with a byte and go on where only one byte can follow. */
function addAlong(
  network: Network,
  vocabulary: Vocabulary,
  first: number,
  after: number,
  to: Set<number>,
): void {
  let node = vocabulary.child(0, first);
  let position = after;
  while (node !== undefined) {
    if (vocabulary.hasToken(node)) to.add(position);
    const [edge, ...more] = network.edges[position]!;
    const only =
      edge !== undefined &&
      more.length === 0 &&
      edge.low === edge.high &&
      network.epsilons[position]!.length === 0 &&
      network.calls[position]!.length === 0;
    if (!only) return;
    node = vocabulary.child(node, edge.low);
    position = edge.to;
  }
}

/** Whether one of the characters, which are in order, is in an edge's ranges. */
function hasAny(codes: readonly number[], { ranges }: CharEdge): boolean {
  return ranges.some(([first, last]) => {
    let [low, high] = [0, codes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (codes[middle]! < first) low = middle + 1;
      else high = middle;
    }
    return low < codes.length && codes[low]! <= last;
  });
}
