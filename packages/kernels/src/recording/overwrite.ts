import { InputError } from '@headwise/core';
import { countWrite } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { rememberKnown } from '../dispatch/known.js';
import { checkAgain } from '../ids/index.js';
import { flush, webgpuBackend } from './backend.js';

/**
 * Writes new values into a tensor, in its place.
 *
 * All tensors that share its values, such as reshaped ones, change with it.
 *
 * @param values row-major, as many as the tensor has
 * @throws InputError on another backend than WebGPU, for another number of values, and for an id outside its space
 * where the tensor was looked up by before
 */
export function overwriteTensor(tensor: tf.Tensor, values: Float32Array | Int32Array): void {
  const backend = webgpuBackend('overwrite');
  if (values.length !== tensor.size) {
    throw new InputError(
      `overwriteTensor: ${values.length} values for a tensor of shape [${tensor.shape.join(', ')}], which has ${tensor.size}`,
    );
  }
  checkAgain(tensor, values);
  const data = backend.tensorMap.get(tensor.dataId);
  // Commands that wait and read it read the old values; those that do not may run after.
  if (!data.resource || backend.commandQueueOwnedIds.has(tensor.dataId)) {
    backend.uploadToGPU(tensor.dataId);
    flush(backend);
  }
  const same = tensor.dtype === 'float32' ? Float32Array : Int32Array;
  const typed = values instanceof same ? values : same.from(values);
  backend.device.queue.writeBuffer(data.resource!, 0, typed as Float32Array<ArrayBuffer>);
  data.values = null;
  countWrite(tensor);
  if (typed instanceof Int32Array) rememberKnown(tensor, typed);
}
