import type { Graph, Value } from './graph.js';

/** How far from its own place a query may see at most: the keys `q − before … q + behind`. */
export interface Band {
  before: number;
  behind: number;
  /** Whether it sees all of them. */
  whole: boolean;
}

/** Farther than any sequence is long, and a place beside it is within 32 bits. */
const anywhere = 2 ** 30;

/** The band of keys outside which a condition never holds, from the comparisons of `k` with `q` that it joins by `and`. */
export function bandOf(graph: Graph, visible: Value | undefined): Band {
  const band: Band = { before: anywhere, behind: anywhere, whole: true };
  const narrow = (condition: Value): void => {
    const { op, args } = condition;
    if (op === 'and') {
      for (const arg of args) narrow(arg);
      return;
    }
    const [a, b] = args.map((arg) => placeOf(graph, arg));
    if (!['less', 'lessEqual'].includes(op) || !a || !b || a.of === b.of) {
      band.whole &&= op === 'literal' && condition.text === 'true';
      return;
    }
    // k + a ≤ q + b, or q + a ≤ k + b, of whole numbers.
    const most = b.plus - a.plus - (op === 'less' ? 1 : 0);
    if (a.of === 'k') band.behind = Math.min(band.behind, most);
    else band.before = Math.min(band.before, most);
  };
  if (visible) narrow(visible);
  const within = (n: number) => Math.max(-anywhere, Math.min(n, anywhere));
  return { ...band, before: within(band.before), behind: within(band.behind) };
}

/** A place plus a number: `q + 3`. */
interface Place {
  of: 'q' | 'k';
  plus: number;
}

function placeOf(graph: Graph, { op, args }: Value): Place | undefined {
  if (op === 'q' || op === 'k') return { of: op, plus: 0 };
  if (op !== 'add' && op !== 'sub') return undefined;
  const [place, number] = [placeOf(graph, args[0]!), numberOf(graph, args[1]!)];
  if (!place || number === undefined) return undefined;
  return { of: place.of, plus: place.plus + (op === 'add' ? number : -number) };
}

/** The value of an integer that does not depend on a pair. */
function numberOf(graph: Graph, { op, type, text }: Value): number | undefined {
  if (type !== 'int') return undefined;
  if (op === 'literal') return Number(text);
  if (op !== 'param') return undefined;
  return graph.params.find(({ name }) => text === `params.${name}`)?.value;
}
