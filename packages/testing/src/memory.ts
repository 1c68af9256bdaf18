import * as tf from '@tensorflow/tfjs';

/** Throws where a function leaves tensors behind, after one call to warm up. */
export async function expectNoLeak(f: () => void | Promise<void>): Promise<void> {
  await f();
  const before = tf.memory().numTensors;
  await f();
  const left = tf.memory().numTensors - before;
  if (left !== 0) throw new Error(`${left} tensors were left behind`);
}

/**
 * Fills recycled GPU buffers of the given sizes with NaN, so that an element that a kernel does not
 * write is seen. On wasm the memory of the next allocations, whatever their sizes; without effect on other backends.
 */
export async function poisonMemory(shapes: number[][], copies = 4): Promise<void> {
  if (tf.getBackend() === 'wasm') poisonAllocations(64);
  if (tf.getBackend() !== 'webgpu') return;
  const tensors = shapes.flatMap((shape) =>
    Array.from({ length: copies }, () => tf.fill(shape, Number.NaN)),
  );
  for (const tensor of tensors) await tensor.data();
  tf.dispose(tensors);
}

/** Fills what the next allocations of the wasm backend give with NaN: results, and what kernels take for themselves. */
function poisonAllocations(count: number): void {
  const { wasm } = tf.backend() as unknown as { wasm: Allocator };
  const allocate = wasm._malloc;
  let left = count;
  wasm._malloc = (bytes) => {
    const address = allocate(bytes) >>> 0;
    if (address > 0) new Float32Array(wasm.HEAPU8.buffer, address, bytes >> 2).fill(Number.NaN);
    if (--left === 0) wasm._malloc = allocate;
    return address;
  };
}

/** The parts of TensorFlow.js's wasm module that give memory. */
interface Allocator {
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
}

/** Bytes of GPU buffers: of those in use, as their users asked for them, and of all that are allocated. */
export function gpuBytes(): { used: number; allocated: number } {
  const memory = tf.memory() as unknown as Record<string, number>;
  return { used: memory.numBytesInGPU!, allocated: memory.numBytesAllocatedInGPU! };
}

/** The parts of TensorFlow.js's WebGPU backend that make and count its buffers. */
interface Backend {
  bufferManager: {
    numBytesUsed: number;
    acquireBuffer(...args: unknown[]): unknown;
    takeBuffers(...args: unknown[]): unknown;
  };
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** The parts of it that record commands. */
interface Recorder {
  device: GPUDevice;
  bufferManager: {
    acquireBuffer(size: number, usage: number, mapped?: boolean, reuse?: boolean): GPUBuffer;
  };
  commandEncoder: GPUCommandEncoder | null;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
}

/**
 * Runs something with every storage buffer that it gets from the pool full of NaN, the bytes beyond its size included,
 * so that whatever is read before it is written is seen. On WebGPU only.
 */
export async function withPoisonedBuffers<T>(run: () => T | Promise<T>): Promise<T> {
  const backend = tf.backend() as unknown as Recorder;
  const { bufferManager } = backend;
  const acquire = bufferManager.acquireBuffer;
  const capacityOf = (buffer: GPUBuffer) =>
    Reflect.get(Object.getPrototypeOf(buffer), 'size', buffer) as number;
  let poison: GPUBuffer | undefined;
  const poisonOf = (bytes: number) => {
    if (!poison || poison.size < bytes) {
      // GPUBufferUsage.COPY_SRC
      poison = backend.device.createBuffer({ size: bytes, usage: 4, mappedAtCreation: true });
      new Float32Array(poison.getMappedRange()).fill(Number.NaN);
      poison.unmap();
    }
    return poison;
  };
  bufferManager.acquireBuffer = (size, usage, mapped = false, reuse = true) => {
    // Uniforms and what the CPU maps are written whole.
    const storage = (usage & GPUBufferUsage.STORAGE) !== 0 && reuse;
    const buffer = acquire.call(bufferManager, size, usage, mapped && !storage, reuse);
    if (!storage) return buffer;
    const bytes = capacityOf(buffer);
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.commandEncoder!.copyBufferToBuffer(poisonOf(bytes), 0, buffer, 0, bytes);
    return buffer;
  };
  try {
    return await run();
  } finally {
    bufferManager.acquireBuffer = acquire;
  }
}

/** A pool of GPU buffers, as `@headwise/core` gives it to the backend. */
interface Pool {
  numBytesUsed: number;
  acquireBuffer(size: number, usage: number, mapped?: boolean, reuse?: boolean): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void;
}

/** The parts of it that own the pool of its buffers. */
interface PoolOwner {
  device: GPUDevice;
  bufferManager: Pool;
  commandEncoder: GPUCommandEncoder | null;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/**
 * Runs something with a pool of GPU buffers of its own: tests that ran before in the process have left no free buffer in it, and no bound. All
 * tensors that it makes it must dispose. On WebGPU only.
 *
 * @throws Error where buffers of the pool are still in use at the end
 */
export async function withOwnPool<T>(run: () => T | Promise<T>): Promise<T> {
  const backend = tf.backend() as unknown as PoolOwner;
  const { bufferManager } = backend;
  const Pool = bufferManager.constructor as new (gpu: GPUDevice, recording: () => boolean) => Pool;
  const own = new Pool(backend.device, () => backend.commandEncoder !== null);
  const acquired = new WeakSet<GPUBuffer>();
  const { acquireBuffer, releaseBuffer } = own;
  own.acquireBuffer = (...args) => {
    const buffer = acquireBuffer.apply(own, args);
    acquired.add(buffer);
    return buffer;
  };
  // What was made before may be disposed meanwhile, as by a check of ids that waits for the next read.
  own.releaseBuffer = (buffer, reuse) =>
    acquired.has(buffer)
      ? releaseBuffer.call(own, buffer, reuse)
      : bufferManager.releaseBuffer(buffer, reuse);
  // Buffers that only commands still hold go back to the pool that they came from.
  const submit = () => {
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.submitQueue();
  };
  submit();
  backend.bufferManager = own;
  let result: T;
  try {
    result = await run();
  } finally {
    submit();
    backend.bufferManager = bufferManager;
  }
  if (own.numBytesUsed !== 0) {
    throw new Error(`${own.numBytesUsed} bytes of an own pool of GPU buffers are still in use`);
  }
  return result;
}

/** The most bytes of GPU buffers in use beyond those before, while a function runs; on WebGPU only. */
export async function peakOfBuffers(run: () => unknown): Promise<number> {
  const backend = tf.backend() as unknown as Backend;
  const { bufferManager } = backend;
  // What only commands before still hold would be freed while the function runs.
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
  const base = bufferManager.numBytesUsed;
  let peak = base;
  const ways = ['acquireBuffer', 'takeBuffers'] as const;
  const before = ways.map((way) => bufferManager[way]);
  for (const way of ways) {
    const take = bufferManager[way];
    bufferManager[way] = (...args) => {
      const taken = take?.apply(bufferManager, args);
      peak = Math.max(peak, bufferManager.numBytesUsed);
      return taken;
    };
  }
  try {
    await run();
  } finally {
    for (const [i, way] of ways.entries()) bufferManager[way] = before[i]!;
  }
  return peak - base;
}
