import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { bufferOf, type Recorder } from './dispatch.js';

/** Makes a tensor of zeros by clearing its buffer: no dispatch. The caller owns it. */
export function zeros(
  backend: WebGPUBackend,
  shape: number[],
  dtype: tf.DataType = 'float32',
): tf.TensorInfo {
  const recorder = backend as unknown as Recorder;
  const tensor = recorder.makeTensorInfo(shape, dtype);
  const buffer = bufferOf(recorder, tensor);
  recorder.ensureCommandEncoderReady();
  recorder.endComputePassEncoder();
  recorder.commandEncoder!.clearBuffer(buffer);
  return tensor;
}
