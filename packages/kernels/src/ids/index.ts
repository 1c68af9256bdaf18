import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { checkType } from '../dispatch/check.js';
import { knownOnDevice } from '../dispatch/known.js';
import { recordings } from '../recording/active.js';
import { checkIdValues, type IdSpace } from './space.js';
import { checkOnDevice } from './webgpu.js';

/** The vocabularies that a tensor was checked against, to check values that overwrite it. */
const checkedFor = new WeakMap<object, IdSpace[]>();

/**
 * Throws unless every id is in its space.
 *
 * Ids created from numbers are checked here, on every backend, before anything is computed with them. Ids that only a
 * GPU has are checked there, and the next `readTensor` throws.
 *
 * @param ids any shape, int32
 * @throws InputError naming the first id outside, its position and `V`
 */
export function checkIds(ids: tf.Tensor, space: IdSpace): void {
  checkType(`${space.name}s`, ids, 'int32');
  if (tf.getBackend() !== 'webgpu') {
    checkIdValues(ids.dataSync(), space, ids.shape);
    return;
  }
  const backend = tf.backend() as WebGPUBackend;
  const recording = recordings.has(backend);
  if (recording) checkedFor.set(ids.dataId, [...(checkedFor.get(ids.dataId) ?? []), space]);
  const values = knownOnDevice(backend, ids);
  if (values) checkIdValues(values, space, ids.shape);
  else if (ids.size > 0 && !recording) checkOnDevice(backend, ids, space);
}

/**
 * Throws unless new values of a tensor are valid ids for the lookups of a recorded step.
 *
 * @throws InputError as `checkIds` does
 */
export function checkAgain({ dataId, shape }: tf.Tensor, values: Float32Array | Int32Array): void {
  for (const space of checkedFor.get(dataId) ?? []) checkIdValues(values, space, shape);
}
