import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { FlatChunk } from '../dispatch/flat.js';
import { copyValues, packing, reversed, scratch, unshare, zeros } from '../dispatch/transfer.js';
import type { Slot } from './state.js';
import { inFours } from './webgpu.js';

/** A flat tensor of zeros that stays until it is disposed. */
export const keptZeros = (backend: WebGPUBackend, size: number): tf.Tensor =>
  tf.keep(tf.engine().makeTensorFromTensorInfo(zeros(backend, [size])));

/**
 * Updates variables chunk by chunk: their values and gradients are copied side by side, `update` changes the values in
 * place, and they are copied back. Copies between buffers are not dispatches. Their sizes are as `inFours` gives them; what lies behind a chunk's
 * values is undefined.
 *
 * @param variables in the order of the chunks
 * @param update called in a `tf.tidy` of its own; `gradient` may be overwritten
 */
export function updateInChunks<C extends FlatChunk>(
  backend: WebGPUBackend,
  chunks: readonly C[],
  variables: readonly tf.Variable[],
  gradients: readonly tf.Tensor[],
  update: (chunk: C, value: tf.Tensor, gradient: tf.Tensor) => void,
): void {
  const before = variables.map(({ dataId, shape, dtype }) => ({ dataId, shape, dtype }));
  for (const variable of variables) unshare(backend, variable);
  for (const chunk of chunks) {
    tf.tidy(() => {
      const { pieces } = chunk;
      const size = inFours(chunk.size);
      const [value, gradient] = [scratch(backend, [size]), scratch(backend, [size])];
      copyValues(backend, [
        ...packing(pieces, before, value),
        ...packing(pieces, gradients, gradient),
      ]);
      update(chunk, value, gradient);
      copyValues(backend, packing(pieces, variables, value).map(reversed));
    });
  }
}

/**
 * What is kept of one tensor in flat tensors that lie as the chunks do.
 *
 * @param tensor its number in the order of the chunks
 * @param kept the flat tensor of a chunk
 */
export function flatSlot<C extends FlatChunk>(
  backend: WebGPUBackend,
  chunks: readonly C[],
  tensor: number,
  kept: (chunk: C) => tf.Tensor,
  slot: Pick<Slot, 'parameter' | 'name' | 'shape'>,
): Slot {
  const copies = (values: tf.TensorInfo) =>
    chunks.flatMap((chunk) => {
      const own = chunk.pieces.filter((piece) => piece.tensor === tensor);
      return packing(
        own.map((piece) => ({ ...piece, tensor: 0 })),
        [values],
        kept(chunk),
      );
    });
  return {
    ...slot,
    read: () => {
      const values = scratch(backend, slot.shape);
      copyValues(backend, copies(values).map(reversed));
      return values;
    },
    write: (values) => copyValues(backend, copies(values)),
  };
}
