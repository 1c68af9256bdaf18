import * as tf from '@tensorflow/tfjs';

/** Registers a kernel with the WebGPU backend once, however often it is called. */
export function registerWebGPUKernel(
  kernelName: string,
  kernelFunc: tf.KernelConfig['kernelFunc'],
): void {
  if (!tf.getKernel(kernelName, 'webgpu')) {
    tf.registerKernel({ kernelName, backendName: 'webgpu', kernelFunc });
  }
}

/** Whether the backend in use has a kernel of this name. */
export function hasKernel(kernelName: string): boolean {
  return tf.getKernel(kernelName, tf.getBackend()) !== undefined;
}

/** Runs a registered kernel; for kernels of several outputs, all of them in order. */
export function runKernel(
  kernelName: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, number | boolean | string> = {},
): tf.Tensor[] {
  return tf.engine().runKernel(kernelName, inputs, attributes) as unknown as tf.Tensor[];
}
