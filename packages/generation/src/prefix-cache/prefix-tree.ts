/** What the tree keeps with the tokens of a node. */
export interface TreePart {
  readonly bytes: number;
  dispose(): void;
}

/** How the tree divides what it keeps: a part for its first `at` tokens, and one for the others; disposes the given one. */
export type SplitPart<P extends TreePart> = (part: P, at: number) => readonly [P, P];

interface Node<P> {
  ids: readonly number[];
  part: P;
  readonly children: Map<number, Node<P>>;
  parent: Node<P> | undefined;
  /** When it was last found or added, by the tree's clock. */
  used: number;
}

/** A part whose first tokens were found. */
export interface FoundPart<P> {
  readonly part: P;
  /** How many of its tokens, from the first on. */
  readonly count: number;
}

/** Sequences of token ids as a radix tree: sequences that share a beginning share its nodes; evicts what was not used for longest. */
export class PrefixTree<P extends TreePart> {
  readonly #split: SplitPart<P>;
  #children = new Map<number, Node<P>>();
  #clock = 0;
  #bytes = 0;

  constructor(split: SplitPart<P>) {
    this.#split = split;
  }

  /** Of all parts. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of tokens that are kept, each shared one once. */
  get tokens(): number {
    return [...this.nodes()].reduce((sum, { ids }) => sum + ids.length, 0);
  }

  /** The parts of the longest beginning of a sequence, in the order of its tokens. */
  find(ids: readonly number[]): FoundPart<P>[] {
    const found: FoundPart<P>[] = [];
    for (const { node, count } of this.#walk(ids)) {
      node.used = ++this.#clock;
      found.push({ part: node.part, count });
    }
    return found;
  }

  /** The number of tokens of a sequence's longest beginning. */
  match(ids: readonly number[]): number {
    return this.#walk(ids).reduce((sum, { count }) => sum + count, 0);
  }

  /**
   * Adds a sequence.
   *
   * @param make the part of its tokens from one on, which the tree has not
   */
  add(ids: readonly number[], make: (from: number) => P): void {
    const path = this.#walk(ids);
    for (const { node } of path) node.used = ++this.#clock;
    const from = path.reduce((sum, { count }) => sum + count, 0);
    if (from === ids.length) return;
    const last = path.at(-1);
    const parent =
      last && last.count < last.node.ids.length ? this.#cut(last.node, last.count) : last?.node;
    this.#insert({
      ids: ids.slice(from),
      part: make(from),
      children: new Map(),
      parent,
      used: ++this.#clock,
    });
  }

  /** Removes what was not used for longest, from the ends of sequences, until at most so many bytes are left. */
  evict(most: number): void {
    while (this.#bytes > most) {
      const leaves = [...this.nodes()].filter(({ children }) => children.size === 0);
      const end = leaves.reduce((a, b) => (b.used < a.used ? b : a));
      const kept =
        end.ids.length - Math.ceil((this.#bytes - most) / (end.part.bytes / end.ids.length));
      if (kept > 0) this.#cut(end, kept);
      this.#remove(end);
      end.part.dispose();
    }
  }

  /** Every node, parents before their children. */
  *nodes(children: Iterable<Node<P>> = this.#children.values()): Generator<Node<P>> {
    for (const node of children) {
      yield node;
      yield* this.nodes(node.children.values());
    }
  }

  dispose(): void {
    for (const { part } of this.nodes()) part.dispose();
    this.#children = new Map();
    this.#bytes = 0;
  }

  #walk(ids: readonly number[]): { node: Node<P>; count: number }[] {
    const path: { node: Node<P>; count: number }[] = [];
    let children = this.#children;
    for (let from = 0; from < ids.length; ) {
      const node = children.get(ids[from]!);
      if (!node) break;
      const count = sharedLength(node.ids, ids, from);
      path.push({ node, count });
      if (count < node.ids.length) break;
      from += count;
      ({ children } = node);
    }
    return path;
  }

  /** Cuts a node in two: it keeps its last tokens. @returns the node of its first ones */
  #cut(node: Node<P>, at: number): Node<P> {
    const { ids, parent, used } = node;
    this.#remove(node);
    const [part, rest] = this.#split(node.part, at);
    const first = { ids: ids.slice(0, at), part, children: new Map(), parent, used };
    this.#insert(first);
    this.#insert(Object.assign(node, { ids: ids.slice(at), part: rest, parent: first }));
    return first;
  }

  #insert(node: Node<P>): void {
    (node.parent?.children ?? this.#children).set(node.ids[0]!, node);
    this.#bytes += node.part.bytes;
  }

  #remove(node: Node<P>): void {
    (node.parent?.children ?? this.#children).delete(node.ids[0]!);
    this.#bytes -= node.part.bytes;
  }
}

/** How many first tokens a sequence shares with another one from a place on. */
export function sharedLength(own: readonly number[], ids: readonly number[], from = 0): number {
  let count = 0;
  while (count < own.length && from + count < ids.length && own[count] === ids[from + count])
    count++;
  return count;
}
