import { InputError, type ParamSource, readTensor } from '@headwise/core';
import { type LazyTensorInput, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import type * as tf from '@tensorflow/tfjs';
import { type ModelFamily, placeOf } from './family.js';
import type { Model } from './model.js';
import { giveRows, takeRows } from './row-order.js';

/**
 * Reads the parameters of a family from a safetensors file, by Hugging Face's keys.
 *
 * @returns the source, and a function that lists the keys that no parameter has asked for
 */
export function checkpointSource(
  family: ModelFamily,
  config: unknown,
  file: SafetensorsFile,
  name: string,
): ParamSource & { unused(): string[] } {
  const asked = new Set<string>();
  const table = family.keys(config);
  // Checkpoints of the bare model, such as the first GPT-2's, have no prefix.
  const bare = ![...file.tensors.keys()].some((key) => key.startsWith(family.keyPrefix));
  return {
    read(path, shape) {
      const { key: whole, rows } = placeOf(table, path);
      const prefixed = bare && whole.startsWith(family.keyPrefix);
      const key = prefixed ? whole.slice(family.keyPrefix.length) : whole;
      if (!file.tensors.has(key)) {
        throw new InputError(`${name}: no tensor '${key}', which holds parameter '${path}'`);
      }
      const tensor = file.get(key);
      if (tensor.shape.join() !== shape.join()) {
        throw new InputError(
          `${name}: tensor '${key}' has shape [${tensor.shape.join(', ')}]; the configuration needs [${shape.join(', ')}]`,
        );
      }
      asked.add(key);
      const values = toFloat32(tensor, { file: name, key });
      return rows ? takeRows(values, rows) : values;
    },
    unused: () =>
      [...file.tensors.keys()].filter((key) => !asked.has(key) && !family.ignoredKeys.test(key)),
  };
}

/**
 * The tensors of a model by Hugging Face's keys; each is read from the backend when it is written.
 *
 * @param written gives what is written for a parameter, of its shape; default the parameter
 */
export function checkpointTensors(
  model: Model,
  written: (path: string, variable: tf.Variable) => tf.Tensor = (_, variable) => variable,
): Record<string, LazyTensorInput> {
  const table = model.family.keys(model.config);
  return Object.fromEntries(
    Object.entries(model.params.named()).map(([path, variable]) => {
      const { key, rows } = placeOf(table, path);
      const data = async () => {
        const values = (await readTensor(written(path, variable))) as Float32Array;
        return rows ? giveRows(values, rows) : values;
      };
      return [key, { dtype: 'F32', shape: variable.shape, data }];
    }),
  );
}
