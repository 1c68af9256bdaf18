import { bindingLimit, countWrite } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { bufferOf } from './dispatch.js';
import type { Piece } from './flat.js';
import { forgetKnown } from './known.js';
import type { Recorder } from './recorder.js';

/** Makes a tensor of zeros by clearing its buffer: no dispatch. The caller owns it. */
export function zeros(
  backend: WebGPUBackend,
  shape: number[],
  dtype: tf.DataType = 'float32',
): tf.TensorInfo {
  const recorder = backend as unknown as Recorder;
  const tensor = recorder.makeTensorInfo(shape, dtype);
  const buffer = bufferOf(recorder, tensor);
  encoderOf(recorder).clearBuffer(buffer, 0, buffer.size);
  return tensor;
}

/** Makes a tensor whose values are undefined until they are written; the engine tracks it. */
export function scratch(backend: WebGPUBackend, shape: number[]): tf.Tensor {
  return tf.engine().makeTensorFromTensorInfo(backend.makeTensorInfo(shape, 'float32'));
}

/** Sends tensors to the device, as the first use of each does. */
export function sendToDevice(tensors: readonly tf.TensorInfo[]): void {
  for (const tensor of tensors) bufferOf(tf.backend() as unknown as Recorder, tensor);
}

/** Values of the chunks that many tensors are copied into: 64 MiB, or one binding of the device where that is less. */
export const chunkSize = ({ device }: WebGPUBackend): number =>
  Math.min(2 ** 24, Math.floor(bindingLimit(device) / 4));

/** Chunks below this many values, 4 MiB, save no memory that counts. */
const leastChunk = 2 ** 20;

/**
 * Values of the chunks of tensors that may be cut, so that the copies take little memory beside the tensors: an eighth of all values, at
 * least 4 MiB and at most `chunkSize`; a multiple of 4,096, so that the sums of a norm are the same however many chunks there are.
 */
export const smallChunkSize = (backend: WebGPUBackend, values: number): number =>
  Math.min(chunkSize(backend), 4096 * Math.ceil(Math.max(leastChunk, values / 8) / 4096));

/** A run of 4-byte values to copy from one tensor's buffer to another's. */
export interface Copy {
  source: tf.TensorInfo;
  sourceStart: number;
  target: tf.TensorInfo;
  targetStart: number;
  size: number;
}

/** Records copies between the buffers of tensors: no dispatch, whatever their number. */
export function copyValues(backend: WebGPUBackend, copies: readonly Copy[]): void {
  const recorder = backend as unknown as Recorder;
  // Uploads are copies of their own and must come first.
  const buffers = copies.map(({ source, target }) => [
    bufferOf(recorder, source),
    bufferOf(recorder, target),
  ]);
  const encoder = encoderOf(recorder);
  copies.forEach(({ sourceStart, target, targetStart, size }, i) => {
    const [from, to] = buffers[i]!;
    encoder.copyBufferToBuffer(from!, 4 * sourceStart, to!, 4 * targetStart, 4 * size);
    recorder.tensorMap.get(target.dataId).values = null;
    forgetKnown(target);
    countWrite(target);
  });
}

/** The copies that bring pieces of tensors together in a chunk. */
export const packing = (
  pieces: readonly Piece[],
  tensors: readonly tf.TensorInfo[],
  chunk: tf.TensorInfo,
): Copy[] =>
  pieces.map(({ tensor, from, at, size }) => ({
    source: tensors[tensor]!,
    sourceStart: from,
    target: chunk,
    targetStart: at,
    size,
  }));

/** The copies that bring back what others brought. */
export const reversed = ({ source, sourceStart, target, targetStart, size }: Copy): Copy => ({
  source: target,
  sourceStart: targetStart,
  target: source,
  targetStart: sourceStart,
  size,
});

/**
 * Gives a variable a buffer of its own where another tensor shares its values, so that writing to it
 * in place changes that variable alone; the values in the new buffer are undefined.
 */
export function unshare(backend: WebGPUBackend, variable: tf.Variable): void {
  const recorder = backend as unknown as Recorder;
  // Brings values here that were made on another backend.
  recorder.tensorMap.get(variable.dataId);
  if (backend.refCount(variable.dataId) === 1) return;
  const { shape, dtype } = variable;
  const own = tf.engine().makeTensorFromTensorInfo(recorder.makeTensorInfo(shape, dtype));
  variable.assign(own);
  own.dispose();
}

/** The encoder of the commands so far, outside any compute pass. */
function encoderOf(recorder: Recorder): GPUCommandEncoder {
  recorder.ensureCommandEncoderReady();
  recorder.endComputePassEncoder();
  return recorder.commandEncoder!;
}
