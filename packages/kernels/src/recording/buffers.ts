/** The part of the backend's pool of buffers that a recording stands in for, or asks. */
export interface BufferManager {
  acquireBuffer(size: number, usage: number, mapped?: boolean, reuse?: boolean): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void;
  resizeBuffer(buffer: GPUBuffer, size: number): void;
  areFree(buffers: Iterable<GPUBuffer>): boolean;
  takeBuffers(sizes: ReadonlyMap<GPUBuffer, number>): void;
}

/** A free buffer serves requests of the step down to the size that it was made for, divided by this. */
const looseness = 2;

/**
 * The buffers of a recorded step, which no other work may be given while the recording lives, or while it is replayed.
 *
 * Intermediate results share buffers within the step, as they do outside of one. Uniforms and values
 * from the CPU are written once, before the step: their buffers are used for nothing else.
 */
export class StepBuffers {
  readonly #manager: BufferManager;
  /** Let go of by the step, which may use them again. */
  readonly #free = new Set<GPUBuffer>();
  /** Every buffer that the step asked for, by the size that it asked for first; others may be larger, by what was free then. */
  readonly #acquired = new Map<GPUBuffer, number>();
  /** Uniforms and values from the CPU. */
  readonly #written = new Set<GPUBuffer>();
  readonly #writtenFree: GPUBuffer[] = [];
  /** What is with the pool between replays, and the sizes. */
  #lent: Map<GPUBuffer, number> | undefined;

  constructor(manager: BufferManager) {
    this.#manager = manager;
  }

  acquireBuffer(size: number, usage: number, mapped = false): GPUBuffer {
    if (usage & GPUBufferUsage.MAP_READ) {
      throw new Error('a recorded step read the values of a tensor; read them after replay');
    }
    const constant = mapped || (usage & GPUBufferUsage.UNIFORM) !== 0;
    const reused = constant ? undefined : this.#smallest(size, usage);
    if (reused) {
      this.#free.delete(reused);
      this.#manager.resizeBuffer(reused, size);
      return reused;
    }
    // A buffer that is mapped when it is made needs no copy, which a replay would repeat.
    const buffer = this.#manager.acquireBuffer(size, usage, mapped, !mapped);
    this.#acquired.set(buffer, size);
    if (constant) this.#written.add(buffer);
    return buffer;
  }

  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    if (!this.#acquired.has(buffer)) this.#manager.releaseBuffer(buffer, reuse);
    else if (this.#written.has(buffer)) this.#writtenFree.push(buffer);
    else this.#free.add(buffer);
  }

  /** Lends what the step let go of to other work, until `takeBack`. */
  lend(): void {
    this.#lent = new Map([...this.#free].map((buffer) => [buffer, buffer.size]));
    for (const buffer of this.#free) this.#manager.releaseBuffer(buffer);
    this.#free.clear();
  }

  /** Whether all that was lent is free. */
  get isBack(): boolean {
    return !this.#lent || this.#manager.areFree(this.#lent.keys());
  }

  /** Takes back what was lent, where it is free. */
  takeBack(): void {
    if (!this.#lent) return;
    this.#manager.takeBuffers(this.#lent);
    for (const buffer of this.#lent.keys()) this.#free.add(buffer);
    this.#lent = undefined;
  }

  /** Gives back what the step let go of; what it returned belongs to its tensors. */
  dispose(): void {
    for (const buffer of [...this.#free, ...this.#writtenFree]) this.#manager.releaseBuffer(buffer);
    this.#free.clear();
    this.#writtenFree.length = 0;
  }

  /** The free buffer that is least larger than a size. */
  #smallest(size: number, usage: number): GPUBuffer | undefined {
    let found: GPUBuffer | undefined;
    let least = looseness * size + 1;
    for (const buffer of this.#free) {
      if (buffer.usage !== usage) continue;
      const room = this.#acquired.get(buffer)!;
      if (room < size || room >= least) continue;
      [found, least] = [buffer, room];
    }
    return found;
  }
}
