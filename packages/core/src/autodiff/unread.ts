import * as tf from '@tensorflow/tfjs';
import { emptyPass } from '../backend/empty-pass.js';
import type { TapeNode } from './tape.js';

/**
 * How many operations of a tape are needed for its backward pass: those after them compute only what no gradient reads,
 * as the last product of a block.
 *
 * An operation counts as needed where it saves anything but its inputs, or a gradient reads its outputs.
 */
export function neededOperations(tape: readonly TapeNode[]): number {
  const read = new Set(tape.flatMap(({ saved }) => dataOf(saved)));
  const last = tape.findLastIndex(({ inputs, outputs, saved }) => {
    const given = new Set(dataOf(Object.values(inputs)));
    return (
      dataOf(outputs).some((data) => read.has(data)) ||
      dataOf(saved).some((data) => !given.has(data))
    );
  });
  return last + 1;
}

const dataOf = (tensors: readonly (tf.Tensor | null)[] = []): object[] =>
  tensors.flatMap((tensor) => (tensor ? [tensor.dataId] : []));

/** The part of TensorFlow.js's WebGPU backend that records dispatches. */
interface Backend {
  computePassEncoder: object | null;
  endComputePassEncoder(): void;
}

/**
 * From now on operations on WebGPU get buffers for their results and compute nothing; elsewhere they compute.
 *
 * @returns what ends that
 */
export function skipDispatches(): () => void {
  if (tf.getBackend() !== 'webgpu') return () => {};
  const backend = tf.backend() as unknown as Backend;
  const pass = emptyPass();
  // Where a copy or a submission ends this pass, what follows is computed after all.
  backend.endComputePassEncoder();
  backend.computePassEncoder = pass;
  return () => {
    if (backend.computePassEncoder === pass) backend.computePassEncoder = null;
  };
}
