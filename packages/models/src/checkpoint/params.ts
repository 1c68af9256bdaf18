import { checkParams, InputError, type ParamStore, readTensor } from '@headwise/core';
import { allFinite } from '@headwise/core/internal';
import { type LazyTensorInput, type TensorInfo, toFloat32 } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import type { HubOptions } from '../hub/address.js';
import { type CheckpointPlace, checkpointFiles } from './files.js';
import { openTensors } from './open.js';
import { Problems } from './problems.js';
import type { WebOptions } from './web.js';

/** The parameters of a store by their paths; each is read from the backend when it is written. */
export function paramTensors(params: ParamStore): Record<string, LazyTensorInput> {
  return Object.fromEntries(
    Object.entries(params.named()).map(([path, variable]) => {
      const data = async () => (await readTensor(variable)) as Float32Array;
      return [path, { dtype: 'F32', shape: variable.shape, data }];
    }),
  );
}

/**
 * Gives the parameters of a network that is built by hand the values of a checkpoint that `saveParams` wrote.
 *
 * All names, shapes and values are checked before a parameter is changed.
 *
 * @param place where `model.safetensors` or its shards are
 * @returns the keys of tensors that no parameter has asked for
 * @throws InputError or SafetensorsError naming every parameter that the checkpoint does not hold in its shape
 * @example
 * const params = new ParamStore();
 * const network = build(params);
 * await loadParams('https://models.example/my-network', params);
 */
export async function loadParams(
  place: CheckpointPlace,
  params: ParamStore,
  options: HubOptions & WebOptions = {},
): Promise<{ unusedKeys: string[] }> {
  checkParams('loadParams', params);
  const { reader, name } = await openTensors(checkpointFiles(place, options));
  try {
    const named = Object.entries(params.named());
    const problems = new Problems();
    for (const [path, { shape }] of named) {
      const problem = problemOf(reader.tensors.get(path), shape);
      if (problem) problems.add(new InputError(`${name}: ${problem} '${path}'`), false);
    }
    problems.refuse();
    const values: Float32Array[] = [];
    for (const [path] of named) {
      const read = toFloat32(await reader.read(path), { file: name, key: path });
      if (!allFinite(read)) {
        throw new InputError(
          `${name}: NaN or infinite values in tensor '${path}'; expected finite ones`,
        );
      }
      values.push(read);
    }
    await reader.finish();
    for (const [i, [, variable]] of named.entries()) {
      tf.tidy(() => variable.assign(tf.tensor(values[i]!, variable.shape, 'float32')));
    }
    const paths = new Set(named.map(([path]) => path));
    return { unusedKeys: [...reader.tensors.keys()].filter((key) => !paths.has(key)) };
  } finally {
    await reader.close();
  }
}

function problemOf(info: TensorInfo | undefined, shape: readonly number[]): string | undefined {
  if (!info) return 'no tensor holds parameter';
  if (info.shape.join() !== shape.join()) {
    return `the tensor has shape [${info.shape.join(', ')}], expected [${shape.join(', ')}] of parameter`;
  }
  if (/^(F64|F32|F16|BF16)$/.test(info.dtype)) return undefined;
  return `the tensor is of type ${info.dtype}, expected F32, F16 or BF16, of parameter`;
}
