import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { knownHalves, rememberHalves } from '../dispatch/known.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, variants } from '../dispatch/program.js';
import type { Recorder } from '../dispatch/recorder.js';
import { elementsOf, type Stored } from '../matrix-product/form.js';

/** How the values of a tensor are stored: halves lie two in a word of an int32 tensor, the first in the lower bits. */
export const storedIn = ({ dtype }: tf.TensorInfo): Stored => (dtype === 'int32' ? 'f16' : 'f32');

/** The tensor that stores values of a shape; of halves the words in a row. */
export const tensorOf = (
  stored: Stored,
  shape: readonly number[],
): { shape: number[]; dtype: 'int32' | 'float32' } =>
  stored === 'f16'
    ? { shape: [Math.ceil(sizeOf(shape) / 2)], dtype: 'int32' }
    : { shape: [...shape], dtype: 'float32' };

/** WGSL of a value to store; as a half it is the largest finite one where it is beyond that. */
export const finite = (code: string, stored: Stored): string =>
  stored === 'f16' ? `f16(clamp(${code}, -65504.0, 65504.0))` : code;

const toHalvesProgram = variants(String, (fours: boolean) =>
  defineProgram({
    label: 'headwise/ToHalves',
    inputs: { x: elementsOf('f32', fours ? 4 : 1) },
    outputs: { halves: elementsOf('f16', fours ? 4 : 1) },
    params: { size: 'u32' },
    wgsl: perElement(/* wgsl */ `halves[i] = ${fours ? 'vec4h' : 'f16'}(x[i]);`),
  }),
);

/** The values of a float32 tensor as halves, rounded to nearest even; the caller owns them. */
function halvesOf(backend: WebGPUBackend, x: tf.TensorInfo): tf.TensorInfo {
  const count = sizeOf(x.shape);
  const fours = count % 4 === 0;
  const size = fours ? count / 4 : count;
  return dispatch(backend, toHalvesProgram(fours), {
    inputs: { x },
    outputs: { halves: tensorOf('f16', x.shape) },
    params: { size },
    workgroups: elementWorkgroups(size),
  }).halves;
}

/** Values of a tensor stored as said: itself where it is, else new ones that the caller owns. */
export const storedAs = (
  stored: Stored,
  backend: WebGPUBackend,
  tensor: tf.TensorInfo,
): tf.TensorInfo => (storedIn(tensor) === stored ? tensor : halvesOf(backend, tensor));

interface Arguments {
  inputs: { x: tf.TensorInfo };
  backend: WebGPUBackend;
}

/** @returns the halves that were made of these values before, while they are there, else new ones */
export function toHalvesKernel({ inputs: { x }, backend }: Arguments): tf.TensorInfo {
  const { tensorMap } = backend as unknown as Recorder;
  const dataId = knownHalves(x);
  if (dataId && tensorMap.has(dataId) && tensorMap.get(dataId).refCount > 0) {
    backend.incRef(dataId);
    return { dataId, ...tensorOf('f16', x.shape) };
  }
  const made = halvesOf(backend, x);
  rememberHalves(x, made.dataId);
  return made;
}
