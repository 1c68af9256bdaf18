/** The methods of the backend's buffer pool that a recording replaces or calls. */
export interface BufferManager {
  acquireBuffer(size: number, usage: number, mapped?: boolean, reuse?: boolean): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void;
  resizeBuffer(buffer: GPUBuffer, size: number): void;
  areFree(buffers: Iterable<GPUBuffer>): boolean;
  takeBuffers(sizes: ReadonlyMap<GPUBuffer, number>): void;
}

/** A request of the step gets a free buffer of at most this many times its size. */
const looseness = 2;

/**
 * The buffers of a recorded step. No other work gets them while the recording lives; buffers that are lent, while it is replayed.
 *
 * Intermediate results share buffers within the step, as without a recording. Uniforms and values from the CPU are written once,
 * when the step is recorded, so each of them has a buffer of its own.
 */
export class StepBuffers {
  readonly #manager: BufferManager;
  /** Buffers that the step has released and may acquire again. */
  readonly #free = new Set<GPUBuffer>();
  /** Every buffer that the step acquired, with the size of its first request; the pool may have given a larger one. */
  readonly #acquired = new Map<GPUBuffer, number>();
  /** Buffers of uniforms and of values from the CPU. */
  readonly #written = new Set<GPUBuffer>();
  readonly #writtenFree: GPUBuffer[] = [];
  /** Buffers that the pool has between replays, with their sizes. */
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
    // A new buffer is mapped and filled at once; a reused one would take a copy, which each replay would repeat.
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

  /** Gives the buffers that the step has released to the pool, until `takeBack`. */
  lend(): void {
    // The step writes as much as the first request of it asked for, whatever the last one did.
    this.#lent = new Map([...this.#free].map((buffer) => [buffer, this.#acquired.get(buffer)!]));
    for (const buffer of this.#free) this.#manager.releaseBuffer(buffer);
    this.#free.clear();
  }

  /** Whether the pool can give back every lent buffer. */
  get isBack(): boolean {
    return !this.#lent || this.#manager.areFree(this.#lent.keys());
  }

  /** Takes the lent buffers back from the pool, which must have all of them free. */
  takeBack(): void {
    if (!this.#lent) return;
    this.#manager.takeBuffers(this.#lent);
    for (const buffer of this.#lent.keys()) this.#free.add(buffer);
    this.#lent = undefined;
  }

  /** Gives the buffers that the step has released to the pool; those of its outputs belong to their tensors. */
  dispose(): void {
    for (const buffer of [...this.#free, ...this.#writtenFree]) this.#manager.releaseBuffer(buffer);
    this.#free.clear();
    this.#writtenFree.length = 0;
  }

  /** The smallest free buffer of at least a size. */
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
