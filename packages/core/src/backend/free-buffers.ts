/** Free buffers, with lookup of the smallest that fits and of the one that has been free longest. */
export class FreeBuffers {
  /** By usage, smallest first. */
  readonly #bySize = new Map<number, GPUBuffer[]>();
  /** Longest free first. */
  readonly #byAge = new Set<GPUBuffer>();
  readonly #capacityOf: (buffer: GPUBuffer) => number;

  /** @param capacityOf the bytes of a buffer, which never change */
  constructor(capacityOf: (buffer: GPUBuffer) => number) {
    this.#capacityOf = capacityOf;
  }

  get oldest(): GPUBuffer | undefined {
    return this.#byAge.values().next().value;
  }

  has(buffer: GPUBuffer): boolean {
    return this.#byAge.has(buffer);
  }

  add(buffer: GPUBuffer): void {
    const sorted = this.#bySize.get(buffer.usage) ?? [];
    this.#bySize.set(buffer.usage, sorted);
    sorted.splice(this.#search(sorted, this.#capacityOf(buffer)), 0, buffer);
    this.#byAge.add(buffer);
  }

  /** Takes out the smallest buffer of at least `least` and at most `most` bytes. */
  take(usage: number, least: number, most: number): GPUBuffer | undefined {
    const sorted = this.#bySize.get(usage) ?? [];
    const at = this.#search(sorted, least);
    const buffer = sorted[at];
    if (!buffer || this.#capacityOf(buffer) > most) return undefined;
    sorted.splice(at, 1);
    this.#byAge.delete(buffer);
    return buffer;
  }

  delete(buffer: GPUBuffer): void {
    const sorted = this.#bySize.get(buffer.usage)!;
    sorted.splice(sorted.indexOf(buffer, this.#search(sorted, this.#capacityOf(buffer))), 1);
    this.#byAge.delete(buffer);
  }

  /** Where the first buffer of at least so many bytes stands. */
  #search(sorted: readonly GPUBuffer[], least: number): number {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#capacityOf(sorted[middle]!) < least) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
