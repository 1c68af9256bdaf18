import { isWanted } from '@headwise/core/internal';
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
  registerOnce('webgpu', kernelName, kernel);
}

/** Registers a kernel with the wasm backend once, as `registerWebGPUKernel` does. */
export function registerWasmKernel<Arguments extends object>(
  kernelName: string,
  kernel: (given: Arguments) => tf.TensorInfo | tf.TensorInfo[],
): void {
  registerOnce('wasm', kernelName, kernel);
}

function registerOnce<Arguments extends object>(
  backendName: string,
  kernelName: string,
  kernel: (given: Arguments) => tf.TensorInfo | tf.TensorInfo[],
): void {
  if (tf.getKernel(kernelName, backendName)) return;
  // TensorFlow.js types inputs and attributes as maps of anything.
  const kernelFunc = kernel as unknown as tf.KernelConfig['kernelFunc'];
  tf.registerKernel({ kernelName, backendName, kernelFunc });
}

/** Registers the gradient of a kernel once. */
export function registerGradient(gradient: tf.GradConfig): void {
  if (!tf.getGradient(gradient.kernelName)) tf.registerGradient(gradient);
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

/** The attribute of a kernel of several gradients: those to compute, in the order of its outputs. */
export interface Wanted<N extends string> {
  wanted: readonly N[];
}

/**
 * Runs a kernel of several gradients at once, for those that are asked for.
 *
 * They are not left to the thunks that TensorFlow.js wants of a gradient function: each is called in a tidy of its own, which would free
 * the outputs that the others return.
 *
 * @param names of the operation's inputs
 * @returns thunks by name; those that are not asked for must not be called
 */
export function runGradients<N extends string>(
  kernelName: string,
  inputs: Readonly<Record<string, tf.Tensor>> | readonly tf.Tensor[],
  names: readonly N[],
  attributes: object = {},
  isAsked: (name: N) => boolean = isWanted,
): Record<N, () => tf.Tensor> {
  const wanted = names.filter(isAsked);
  const made = runKernel(kernelName, inputs, { ...attributes, wanted });
  const thunks = names.map((name) => [name, () => made[wanted.indexOf(name)]!]);
  return Object.fromEntries(thunks) as Record<N, () => tf.Tensor>;
}
