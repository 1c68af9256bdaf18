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
 * write is seen. Without effect on other backends.
 */
export async function poisonMemory(shapes: number[][], copies = 4): Promise<void> {
  if (tf.getBackend() !== 'webgpu') return;
  const tensors = shapes.flatMap((shape) =>
    Array.from({ length: copies }, () => tf.fill(shape, Number.NaN)),
  );
  for (const tensor of tensors) await tensor.data();
  tf.dispose(tensors);
}

/** Bytes of GPU buffers: of those in use, as their users asked for them, and of all that are allocated. */
export function gpuBytes(): { used: number; allocated: number } {
  const memory = tf.memory() as unknown as Record<string, number>;
  return { used: memory.numBytesInGPU!, allocated: memory.numBytesAllocatedInGPU! };
}

/** The parts of TensorFlow.js's WebGPU backend that count its buffers. */
interface Backend {
  bufferManager: { numBytesUsed: number; acquireBuffer: (...args: unknown[]) => unknown };
}

/** The most bytes of GPU buffers in use beyond those before, while a function runs; on WebGPU only. */
export async function peakOfBuffers(run: () => unknown): Promise<number> {
  const { bufferManager } = tf.backend() as unknown as Backend;
  const acquire = bufferManager.acquireBuffer;
  const base = bufferManager.numBytesUsed;
  let peak = base;
  bufferManager.acquireBuffer = (...args) => {
    const buffer = acquire.apply(bufferManager, args);
    peak = Math.max(peak, bufferManager.numBytesUsed);
    return buffer;
  };
  try {
    await run();
  } finally {
    bufferManager.acquireBuffer = acquire;
  }
  return peak - base;
}
