import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { hasKernel } from './register.js';
import { copyValues, scratch } from './transfer.js';

/** Scalars side by side, to be read at once; on WebGPU by copies between buffers, without a dispatch. @returns `[n]` */
export function stackScalars(scalars: readonly tf.Tensor[]): tf.Tensor1D {
  if (tf.getBackend() !== 'webgpu' || !hasKernel('headwise/MatrixProduct')) {
    return tf.stack([...scalars]) as tf.Tensor1D;
  }
  const backend = tf.backend() as WebGPUBackend;
  const target = scratch(backend, [scalars.length]) as tf.Tensor1D;
  const copies = scalars.map((source, i) => ({
    source,
    sourceStart: 0,
    target,
    targetStart: i,
    size: 1,
  }));
  copyValues(backend, copies);
  return target;
}
