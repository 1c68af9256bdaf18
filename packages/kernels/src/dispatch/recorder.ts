import type * as tf from '@tensorflow/tfjs';

/**
 * The parts of TensorFlow.js 4.22's WebGPU backend that its types keep private.
 *
 * Recording into the backend's own compute pass keeps the order with stock operations, and frees us
 * from one output a program, from `readonly` inputs and from the ban on `enable` directives.
 */
export interface Recorder {
  device: GPUDevice;
  tensorMap: {
    has(dataId: object): boolean;
    get(dataId: object): {
      resource?: GPUBuffer | undefined;
      values: unknown;
      /** Tensors that share it; 0 where it is freed once the commands so far are submitted. */
      refCount: number;
    };
  };
  bufferManager: { acquireBuffer(size: number, usage: number): GPUBuffer };
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  commandQueueOwnedIds: WeakSet<object>;
  uniformPendingDisposal: GPUBuffer[];
  dispatchCountInPass: number;
  makeTensorInfo(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  uploadToGPU(dataId: object): void;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}
