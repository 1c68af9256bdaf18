import { InputError } from '@headwise/core';
import { isOwnBackend, lossOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { BufferManager } from './buffers.js';

/** What TensorFlow.js's WebGPU backend knows of a tensor's data. */
export interface TensorData {
  resource?: GPUBuffer | undefined;
  /** A copy on the CPU, where the values were read. */
  values: unknown;
}

/** One field of a program's uniforms. */
export interface UniformField {
  type: string;
  data: readonly number[];
}

/** The parts of TensorFlow.js 4.22's WebGPU backend that a recording replaces while the step runs. */
export interface Backend {
  device: GPUDevice;
  bufferManager: BufferManager & Record<string, unknown>;
  tensorMap: { has(dataId: object): boolean; get(dataId: object): TensorData };
  commandEncoder: GPUCommandEncoder | null;
  write(values: unknown, shape: number[], dtype: tf.DataType): object;
  makeTensorInfo(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  makeUniforms(fields: UniformField[]): GPUBufferBinding;
  uploadToGPU(dataId: object): void;
  ensureCommandEncoderReady(): void;
  /** Data that commands not yet submitted use. */
  commandQueueOwnedIds: Pick<WeakSet<object>, 'has' | 'add'>;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** Submits what the backend has recorded so far. */
export function flush(backend: Backend): void {
  backend.endComputePassEncoder();
  if (backend.commandEncoder) backend.submitQueue();
}

/**
 * The WebGPU backend of `start`, in use.
 *
 * @throws InputError naming the caller on another backend, DeviceLostError
 */
export function webgpuBackend(caller: string): Backend {
  if (tf.getBackend() !== 'webgpu') {
    throw new InputError(
      `${caller}: works on the backend 'webgpu'; in use is '${tf.getBackend()}'`,
    );
  }
  const backend = tf.backend() as unknown as Backend;
  if (!isOwnBackend(backend)) {
    throw new InputError(
      `${caller}: works on the device that start() requested; in use is another one`,
    );
  }
  const lost = lossOf(backend.device);
  if (lost) throw lost;
  return backend;
}
