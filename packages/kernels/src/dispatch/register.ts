import * as tf from '@tensorflow/tfjs';

/**
 * Registers a kernel with the WebGPU backend once, however often it is called.
 *
 * @param kernel takes `inputs`, `backend` and `attrs`, as its callers give them to `runKernel`
 */
export function registerWebGPUKernel<Arguments extends object>(
  kernelName: string,
  kernel: (given: Arguments) => tf.TensorInfo | tf.TensorInfo[],
): void {
  if (!tf.getKernel(kernelName, 'webgpu')) {
    // TensorFlow.js types inputs and attributes as maps of anything.
    const kernelFunc = kernel as unknown as tf.KernelConfig['kernelFunc'];
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

/**
 * Runs a registered kernel and records it on the gradient tape.
 *
 * @param inputs by name, or in order for kernels with any number of them
 * @returns the outputs, in order; of a kernel with one output, that tensor itself
 */
export function runKernel(
  kernelName: string,
  inputs: Readonly<Record<string, tf.Tensor>> | readonly tf.Tensor[],
  attributes: object = {},
): tf.Tensor[] {
  return tf
    .engine()
    .runKernel(
      kernelName,
      inputs as tf.NamedTensorMap,
      attributes as tf.NamedAttrMap,
    ) as unknown as tf.Tensor[];
}
