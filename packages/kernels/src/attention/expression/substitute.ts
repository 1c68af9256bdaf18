import type { Table } from './node.js';
import { argsOf, type Node, type Variable } from './node.js';

/** What to put in the place of what. */
export interface Substitution {
  readonly variables: Partial<Record<Variable, Node>>;
  readonly tables: ReadonlyMap<Table, Table>;
}

/** An expression with some of its variables and tables replaced; what is shared stays shared. */
export function substitute(node: Node, { variables, tables }: Substitution): Node {
  const known = new Map<Node, Node>();
  const replaced = (node: Node): Node => {
    const before = known.get(node);
    if (before) return before;
    const after = replacement(node);
    known.set(node, after);
    return after;
  };
  const replacement = (node: Node): Node => {
    if (node.kind === 'variable') return variables[node.name] ?? node;
    if (!('args' in node)) return node;
    const args = node.args.map(replaced);
    if (node.kind === 'operation') return { ...node, args };
    return { ...node, args, table: tables.get(node.table) ?? node.table };
  };
  return replaced(node);
}

/** Every table that some expressions look something up in, each once. */
export function tablesOf(nodes: readonly Node[]): Table[] {
  const seen = new Set<Node>();
  const tables = new Set<Table>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'lookup') tables.add(node.table);
    argsOf(node).forEach(visit);
  };
  nodes.forEach(visit);
  return [...tables];
}
