import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

/** The tensor, of whose values a GPU keeps no copy in host memory. */
export function onDevice<T extends tf.Tensor>(tensor: T): T {
  if (tf.getBackend() === 'webgpu') {
    (tf.backend() as WebGPUBackend).uploadToGPU(tensor.dataId);
  }
  return tensor;
}
