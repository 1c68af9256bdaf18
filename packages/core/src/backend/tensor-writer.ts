import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../shapes.js';
import { currentDevice } from './device.js';

/** A tensor that is written in pieces, so that a GPU tensor never lies in host memory whole. */
export interface TensorWriter {
  /** The values themselves where the backend keeps them in host memory: may be written directly. */
  readonly host: Float32Array | undefined;
  /** Writes values of 4 bytes from the `offset`-th on; they may be changed after. */
  write(offset: number, values: Float32Array | Int32Array): void;
  /** The tensor; nothing may be written after. */
  finish(): tf.Tensor;
  /** Frees the memory, where the tensor is not wanted after all. */
  cancel(): void;
}

/** Memory for a float32 tensor on the backend in use; the values are undefined until they are written. */
export function tensorWriter(shape: readonly number[]): TensorWriter {
  return tf.getBackend() === 'webgpu' ? gpuWriter(shape, 'float32') : hostWriter(shape);
}

/** As `tensorWriter`, memory for words: an int32 tensor on WebGPU. */
export const wordWriter = (count: number): TensorWriter => gpuWriter([count], 'int32');

function hostWriter(shape: readonly number[]): TensorWriter {
  const host = new Float32Array(sizeOf(shape));
  return {
    host,
    write: (offset, values) => host.set(values, offset),
    finish: () => tf.tensor(host, [...shape], 'float32'),
    cancel: () => {},
  };
}

function gpuWriter(shape: readonly number[], dtype: 'float32' | 'int32'): TensorWriter {
  const backend = tf.backend() as WebGPUBackend;
  const tensor = tf
    .engine()
    .makeTensorFromTensorInfo(backend.makeTensorInfo([...shape], dtype), backend);
  backend.uploadToGPU(tensor.dataId);
  // Values are written at once; commands that are recorded and fill the buffer for the tensor that had it must come before.
  backend.endComputePassEncoder();
  if ((backend as unknown as { commandEncoder: unknown }).commandEncoder) backend.submitQueue();
  const buffer = backend.tensorMap.get(tensor.dataId).resource as GPUBuffer;
  const { queue } = currentDevice()!.gpu;
  return {
    host: undefined,
    write: (offset, values) =>
      queue.writeBuffer(buffer, 4 * offset, values as GPUAllowSharedBufferSource),
    finish: () => tensor,
    cancel: () => tensor.dispose(),
  };
}

/** Waits until all writes so far have left host memory. */
export async function writesDone(): Promise<void> {
  if (tf.getBackend() === 'webgpu') await currentDevice()!.gpu.queue.onSubmittedWorkDone();
}
