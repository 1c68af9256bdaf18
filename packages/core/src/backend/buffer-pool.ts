import { ShapeError } from '../errors.js';
import { FreeBuffers } from './free-buffers.js';

/** Bound on allocated bytes, as a multiple of the peak in use. */
const headroom = 1.4;

/** A free buffer serves requests down to its size divided by this; at the bound, any smaller request. */
const looseness = 2;

/** Allocated bytes below which no buffer is destroyed. */
const floor = 2 ** 18;

/** The peak in use is forgotten after one to two times this many requests. */
const period = 8192;

/**
 * The GPU buffers of a backend, in place of TensorFlow.js's `BufferManager`, which keeps every freed
 * buffer for the next request of exactly its size, and so grows with every new shape.
 *
 * `allocated ≤ 1.4 · most in use`: beyond it, the buffer that was free longest is destroyed. A buffer
 * serves requests down to half its size, and below that where another one would be destroyed to make a new
 * one, as long as the bytes that are left over fit in the bound. Its `size` is the one that was asked for.
 */
export class BufferPool {
  /** Bytes asked for, of all buffers in use. */
  numBytesUsed = 0;
  /** Bytes of all buffers, in use and free. */
  numBytesAllocated = 0;
  readonly #gpu: GPUDevice;
  readonly #recording: () => boolean;
  readonly #capacities = new WeakMap<GPUBuffer, number>();
  readonly #free = new FreeBuffers((buffer) => this.#capacities.get(buffer)!);
  readonly #used = new Set<GPUBuffer>();
  /** Evicted buffers that commands not yet submitted may still use. */
  #leaving: GPUBuffer[] = [];
  /** Bytes of the buffers in use beyond what was asked for. */
  #unused = 0;
  #requests = 0;
  #peak = 0;
  #peakBefore = 0;
  #disposed = false;

  /** @param recording whether commands were recorded that are not submitted yet */
  constructor(gpu: GPUDevice, recording: () => boolean) {
    this.#gpu = gpu;
    this.#recording = recording;
  }

  /**
   * @param reuse whether a buffer that was in use before may come, not mapped; default true
   * @throws ShapeError for more bytes than a buffer of the device can have
   */
  acquireBuffer(size: number, usage: number, mapped = false, reuse = true): GPUBuffer {
    const { maxBufferSize } = this.#gpu.limits;
    if (size > maxBufferSize) {
      throw new ShapeError(
        `a tensor takes ${size} bytes; the device makes buffers of at most ${maxBufferSize}`,
      );
    }
    this.#notePeak(this.numBytesUsed + size);
    const buffer =
      (reuse ? this.#reused(size, usage) : undefined) ?? this.#made(size, usage, mapped);
    this.#use(buffer, size);
    return buffer;
  }

  /** @param reuse whether another request may get the buffer; default true */
  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    if (this.#disposed) return;
    if (!this.#used.delete(buffer)) throw new Error('a buffer was released that is not in use');
    this.#unused -= this.#capacities.get(buffer)! - buffer.size;
    this.numBytesUsed -= buffer.size;
    if (!this.#recording()) this.#destroyLeaving();
    if (reuse) this.#free.add(buffer);
    else this.#destroy(buffer);
  }

  /** Changes the size of a buffer in use, to at most the one that it was acquired with. */
  resizeBuffer(buffer: GPUBuffer, size: number): void {
    this.#unused += buffer.size - size;
    this.numBytesUsed += size - buffer.size;
    Object.defineProperty(buffer, 'size', { value: size, configurable: true });
  }

  /** Whether nobody uses any of these buffers, and none was destroyed. */
  areFree(buffers: Iterable<GPUBuffer>): boolean {
    for (const buffer of buffers) if (!this.#free.has(buffer)) return false;
    return true;
  }

  /** Takes free buffers into use, by their sizes. */
  takeBuffers(sizes: ReadonlyMap<GPUBuffer, number>): void {
    for (const [buffer, size] of sizes) {
      this.#free.delete(buffer);
      this.#use(buffer, size);
    }
    this.#peak = Math.max(this.#peak, this.numBytesUsed);
  }

  dispose(): void {
    this.#disposed = true;
    this.#shrinkTo(0);
    for (const buffer of this.#used) this.#destroy(buffer);
    this.#used.clear();
    this.#destroyLeaving();
    this.numBytesUsed = 0;
  }

  #use(buffer: GPUBuffer, size: number): void {
    Object.defineProperty(buffer, 'size', { value: size, configurable: true });
    this.#used.add(buffer);
    this.#unused += this.#capacities.get(buffer)! - size;
    this.numBytesUsed += size;
  }

  get #most(): number {
    return Math.max(this.#peak, this.#peakBefore);
  }

  /** Bytes that another buffer may leave over. */
  get #spare(): number {
    return Math.max(0, (headroom - 1) * this.#most - this.#unused);
  }

  get #bound(): number {
    return Math.max(floor, headroom * this.#most);
  }

  #notePeak(used: number): void {
    this.#peak = Math.max(this.#peak, used);
    if (++this.#requests < period) return;
    this.#requests = 0;
    this.#peakBefore = this.#peak;
    this.#peak = used;
    this.#shrinkTo(this.#bound);
  }

  /** A free buffer that may serve. */
  #reused(size: number, usage: number): GPUBuffer | undefined {
    if (isMappable(usage)) return this.#free.take(usage, size, size);
    const most = size + this.#spare;
    return (
      this.#free.take(usage, size, Math.min(looseness * size, most)) ??
      (this.numBytesAllocated + size > this.#bound ? this.#free.take(usage, size, most) : undefined)
    );
  }

  #made(least: number, usage: number, mappedAtCreation: boolean): GPUBuffer {
    // Sizes of buffers that are mapped or bound are multiples of four.
    const most = 4 * Math.floor(Math.min(least + this.#spare, this.#gpu.limits.maxBufferSize) / 4);
    const size = isMappable(usage) ? least : Math.max(least, Math.min(sizeClass(least), most));
    this.#shrinkTo(this.#bound - size);
    const buffer = this.#gpu.createBuffer({ size, usage, mappedAtCreation });
    this.#capacities.set(buffer, size);
    this.numBytesAllocated += size;
    return buffer;
  }

  #shrinkTo(bytes: number): void {
    while (this.numBytesAllocated > bytes) {
      const buffer = this.#free.oldest;
      if (!buffer) return;
      this.#free.delete(buffer);
      this.#destroy(buffer);
    }
  }

  #destroy(buffer: GPUBuffer): void {
    this.numBytesAllocated -= this.#capacities.get(buffer)!;
    this.#leaving.push(buffer);
    if (!this.#recording()) this.#destroyLeaving();
  }

  #destroyLeaving(): void {
    for (const buffer of this.#leaving) buffer.destroy();
    this.#leaving = [];
  }
}

/** Whether the CPU maps the buffer; such buffers are mapped whole, so their size is exact. */
const isMappable = (usage: number): boolean =>
  (usage & (GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE)) !== 0;

/** The size to make a buffer with, so that it serves sizes near by: one of eight from each power of two to the next. */
function sizeClass(size: number): number {
  const step = 2 ** (28 - Math.clz32(size));
  return step < 4 ? size : Math.ceil(size / step) * step;
}
