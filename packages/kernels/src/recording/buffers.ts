/** The part of the backend's pool of buffers that a recording stands in for. */
export interface BufferManager {
  acquireBuffer(size: number, usage: number, mapped?: boolean, reuse?: boolean): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void;
}

/**
 * The buffers of a recorded step, which no other work may be given while the recording lives.
 *
 * Intermediate results share buffers within the step, as they do outside of one. Uniforms and values
 * from the CPU are written once, before the step: their buffers are used for nothing else.
 */
export class StepBuffers {
  readonly #manager: BufferManager;
  readonly #free = new Map<string, GPUBuffer[]>();
  /** Every buffer that the step asked for; those that it let go of are in `#released` too. */
  readonly #acquired = new Set<GPUBuffer>();
  readonly #released = new Set<GPUBuffer>();
  readonly #written = new WeakSet<GPUBuffer>();

  constructor(manager: BufferManager) {
    this.#manager = manager;
  }

  has(buffer: GPUBuffer): boolean {
    return this.#acquired.has(buffer);
  }

  acquireBuffer(size: number, usage: number, mapped = false): GPUBuffer {
    if (usage & GPUBufferUsage.MAP_READ) {
      throw new Error('a recorded step read the values of a tensor; read them after replay');
    }
    const constant = mapped || (usage & GPUBufferUsage.UNIFORM) !== 0;
    const reused = constant ? undefined : this.#free.get(`${size}/${usage}`)?.pop();
    if (reused) {
      this.#released.delete(reused);
      return reused;
    }
    // A buffer that is mapped when it is made needs no copy, which a replay would repeat.
    const buffer = this.#manager.acquireBuffer(size, usage, mapped, !mapped);
    this.#acquired.add(buffer);
    if (constant) this.#written.add(buffer);
    return buffer;
  }

  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    if (!this.#acquired.has(buffer)) {
      this.#manager.releaseBuffer(buffer, reuse);
      return;
    }
    this.#released.add(buffer);
    if (this.#written.has(buffer)) return;
    const key = `${buffer.size}/${buffer.usage}`;
    const free = this.#free.get(key) ?? [];
    free.push(buffer);
    this.#free.set(key, free);
  }

  /** Gives back what the step let go of; what it returned belongs to its tensors. */
  dispose(): void {
    for (const buffer of this.#released) this.#manager.releaseBuffer(buffer);
    this.#released.clear();
    this.#free.clear();
  }
}
