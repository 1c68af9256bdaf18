/** Texts by their code units, one node per prefix, in one open-addressing table. */
export class Trie {
  /** Parent, unit and child of each edge; −1 is empty. */
  #edges: Int32Array = new Int32Array(3 * 64).fill(-1);
  #mask = 63;
  #nodes = 1;
  /** The value of each node, or −1. */
  #values: Int32Array = new Int32Array(64).fill(-1);

  /** Gives a text a value of at least 0. */
  set(units: Uint16Array, value: number): void {
    let node = 0;
    for (const unit of units) {
      const next = this.step(node, unit);
      node = next >= 0 ? next : this.#add(node, unit);
    }
    this.#values[node] = value;
  }

  /** The node behind a node and a unit, from node 0 on, or −1. */
  step(node: number, unit: number): number {
    return this.#edges[this.#slot(node, unit) + 2]!;
  }

  /** The value of a node, or −1. */
  value(node: number): number {
    return this.#values[node]!;
  }

  #add(node: number, unit: number): number {
    if (this.#nodes * 2 > this.#mask) this.#grow();
    const child = this.#nodes++;
    if (child === this.#values.length) {
      const wider = new Int32Array(2 * child).fill(-1);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#edges.set([node, unit, child], this.#slot(node, unit));
    return child;
  }

  #slot(node: number, unit: number): number {
    const edges = this.#edges;
    const hash = Math.imul(Math.imul(node, 0x9e3779b1) ^ unit, 0x85ebca6b);
    for (let i = (hash ^ (hash >>> 15)) & this.#mask; ; i = (i + 1) & this.#mask) {
      const at = 3 * i;
      if (edges[at]! < 0 || (edges[at] === node && edges[at + 1] === unit)) return at;
    }
  }

  #grow(): void {
    const old = this.#edges;
    this.#mask = 2 * this.#mask + 1;
    this.#edges = new Int32Array(3 * (this.#mask + 1)).fill(-1);
    for (let at = 0; at < old.length; at += 3) {
      if (old[at]! < 0) continue;
      this.#edges.set(old.subarray(at, at + 3), this.#slot(old[at]!, old[at + 1]!));
    }
  }
}
