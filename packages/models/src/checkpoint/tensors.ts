import { type ParamSource, readTensor } from '@headwise/core';
import { type LazyTensorInput, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import type * as tf from '@tensorflow/tfjs';
import { type ModelFamily, placeOf } from '../family.js';
import type { Model } from '../model.js';
import { Matching } from './matching.js';
import { giveRows, takeRows } from './row-order.js';

/**
 * Reads the parameters of a family from a safetensors file in memory, by Hugging Face's keys.
 *
 * @returns the source, and a function that lists the keys that no parameter has asked for
 */
export function checkpointSource(
  family: ModelFamily,
  config: unknown,
  file: SafetensorsFile,
  name: string,
): ParamSource & { unused(): string[] } {
  const matching = new Matching(family, config, file.tensors, name);
  return {
    read(path, shape) {
      const { key, rows } = matching.find(path, shape);
      const values = toFloat32(file.get(key), { file: name, key });
      return rows ? takeRows(values, rows()) : values;
    },
    unused: () => matching.unused(),
  };
}

/**
 * The tensors of a model by Hugging Face's keys; each is read from the backend when it is written.
 *
 * @param tensorOf gives what is written for a parameter, of its shape; default the parameter
 */
export function checkpointTensors(
  model: Model,
  tensorOf: (path: string, variable: tf.Variable) => tf.Tensor = (_, variable) => variable,
): Record<string, LazyTensorInput> {
  const table = model.family.keys(model.config);
  const buffers = Object.entries(model.family.buffers?.(model.config) ?? {});
  const tensors: Record<string, LazyTensorInput> = Object.fromEntries(
    Object.entries(model.params.named()).map(([path, variable]) => {
      const { key, rows } = placeOf(table, path);
      const data = async () => {
        const values = (await readTensor(tensorOf(path, variable))) as Float32Array;
        return rows ? giveRows(values, rows()) : values;
      };
      return [key, { dtype: 'F32', shape: variable.shape, data }];
    }),
  );
  for (const [key, data] of buffers) {
    tensors[key] = { dtype: 'F32', shape: [data.length], data: () => data };
  }
  return tensors;
}
