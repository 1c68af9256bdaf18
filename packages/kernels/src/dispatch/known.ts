import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { changingData } from '../recording/active.js';
import type { Recorder } from './recorder.js';

/** Numbers that went to the device, which TensorFlow.js forgets when it has uploaded them. */
const uploaded = new WeakMap<object, Int32Array>();

/**
 * The values of an int32 tensor; undefined where only a GPU has them, and where a step is recorded that is to be replayed with
 * other values.
 */
export function knownValues(tensor: tf.Tensor): ArrayLike<number> | undefined {
  if (tf.getBackend() !== 'webgpu') return tensor.dataSync();
  if (changingData.has(tensor.dataId)) return undefined;
  return knownOnDevice(tf.backend() as WebGPUBackend, tensor);
}

/** The values of an int32 tensor on WebGPU where they came from the CPU or were read; undefined where only the device has them. */
export function knownOnDevice(
  backend: WebGPUBackend,
  { dataId }: tf.TensorInfo,
): Int32Array | undefined {
  const { values } = (backend as unknown as Recorder).tensorMap.get(dataId);
  if (!values) return uploaded.get(dataId);
  const known = values instanceof Int32Array ? values.slice() : Int32Array.from(values as number[]);
  uploaded.set(dataId, known);
  return known;
}

/** Says what was written to an int32 tensor. */
export function rememberKnown({ dataId }: tf.TensorInfo, values: Int32Array): void {
  uploaded.set(dataId, values.slice());
}

/** The data of halves by that of the float32 values that they were made of. */
const halves = new WeakMap<object, object>();

/** The data that holds the values of a tensor as halves, which may have been freed; undefined where none was made. */
export function knownHalves({ dataId }: Pick<tf.TensorInfo, 'dataId'>): object | undefined {
  return halves.get(dataId);
}

/** Says which data holds the values of a tensor as halves. */
export function rememberHalves({ dataId }: Pick<tf.TensorInfo, 'dataId'>, data: object): void {
  halves.set(dataId, data);
}

/** Says that a tensor was written on the device: what was known of its values no longer holds. */
export function forgetKnown({ dataId }: Pick<tf.TensorInfo, 'dataId'>): void {
  uploaded.delete(dataId);
  halves.delete(dataId);
}
