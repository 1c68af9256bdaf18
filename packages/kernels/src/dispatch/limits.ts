import { bindingLimit } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

/** Bytes of each binding but the last of a tensor that is larger than one. */
export function pieceBytes(device: GPUDevice): number {
  const { minStorageBufferOffsetAlignment: step } = device.limits;
  return Math.floor(bindingLimit(device) / step) * step;
}

/** The number of bindings that a tensor of so many bytes takes. */
export const piecesOf = (device: GPUDevice, bytes: number): number =>
  bytes <= bindingLimit(device) ? 1 : Math.ceil(bytes / pieceBytes(device));

/** How large a weight can be on a device. */
export interface WeightLimits {
  /** Bytes of one buffer. */
  buffer: number;
  /** Bytes of one binding. */
  binding: number;
  /** Bindings of one weight. */
  pieces: number;
}

/** Buffers that a product or a lookup binds besides its weight: rows, results, and ids or a bias. */
const besides = 3;

/** How large a weight can be on the device in use; undefined on other backends than WebGPU, which set no limit. */
export function weightLimits(): WeightLimits | undefined {
  if (tf.getBackend() !== 'webgpu') return undefined;
  const { device } = tf.backend() as WebGPUBackend;
  const { maxBufferSize, maxStorageBuffersPerShaderStage } = device.limits;
  return {
    buffer: maxBufferSize,
    binding: pieceBytes(device),
    pieces: maxStorageBuffersPerShaderStage - besides,
  };
}
