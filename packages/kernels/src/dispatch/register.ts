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

let warned = false;

/** Whether the backend in use has a kernel of this name; warns once where WebGPU was started without ours. */
export function hasKernel(kernelName: string): boolean {
  const backend = tf.getBackend();
  const found = tf.getKernel(kernelName, backend) !== undefined;
  if (!found && backend === 'webgpu' && !warned) {
    warned = true;
    console.warn(
      "headwise: WebGPU runs without Headwise's kernels, many times slower; expected start() of @headwise/kernels before the first operation",
    );
  }
  return found;
}

/** Runs a registered kernel; for kernels of several outputs, all of them in order. */
export function runKernel(
  kernelName: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, number | boolean | string> = {},
): tf.Tensor[] {
  return tf.engine().runKernel(kernelName, inputs, attributes) as unknown as tf.Tensor[];
}
