import { type ParamSource, readTensor } from '@headwise/core';
import { type LazyTensorInput, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import type * as tf from '@tensorflow/tfjs';
import {
  type KeyPart,
  type KeyPlace,
  type KeyTable,
  type ModelFamily,
  placeOf,
  shapeInFile,
} from '../family.js';
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
      const found = matching.find(path, shape);
      const tensors = [found, ...(found.pieces ?? [])].map(({ key }) =>
        toFloat32(file.get(key), { file: name, key }),
      );
      return ownValues(found, tensors.length === 1 ? tensors[0]! : concatenated(tensors));
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
  const buffers = Object.entries(model.family.buffers?.(model.config) ?? {});
  const tensors = tensorsByKey(
    model.family.keys(model.config),
    Object.entries(model.params.named()).map(([path, variable]) => ({
      path,
      shape: variable.shape,
      values: async () => (await readTensor(tensorOf(path, variable))) as Float32Array,
    })),
  );
  for (const [key, { shape, values }] of buffers) {
    tensors[key] = { dtype: 'F32', shape, data: values };
  }
  return tensors;
}

/** Values of a parameter: of its shape, and by its path. */
export interface ParameterValues {
  path: string;
  shape: readonly number[];
  values(): Float32Array | Promise<Float32Array>;
}

/** Values of parameters as the tensors of a checkpoint: by its keys, in its order of rows, and in one where a tensor holds several. */
export function tensorsByKey(
  table: KeyTable,
  parameters: readonly ParameterValues[],
): Record<string, LazyTensorInput> {
  const tensors: Record<string, LazyTensorInput> = {};
  /** Of tensors that hold several parameters, what gives the values of each. */
  const parts: Record<string, ParameterValues['values'][]> = {};
  for (const { path, shape: own, values } of parameters) {
    const { key, rows, part, keys } = placeOf(table, path);
    const shape = shapeInFile(own, part);
    if (keys) {
      Object.assign(tensors, tensorsOfPieces(keys, own, values));
    } else if (part) {
      const all = parts[key] ?? [];
      parts[key] = all;
      all[part.index] = values;
      tensors[key] = { dtype: 'F32', shape, data: () => joined(all) };
    } else {
      const data = async () => (rows ? giveRows(await values(), rows()) : values());
      tensors[key] = { dtype: 'F32', shape, data };
    }
  }
  return tensors;
}

/** The tensors that one parameter is written as; its values are read once, for the first that is written, and let go with the last. */
function tensorsOfPieces(
  keys: readonly string[],
  [first, ...rest]: readonly number[],
  values: ParameterValues['values'],
): Record<string, LazyTensorInput> {
  const shape = [first! / keys.length, ...rest];
  let whole: ReturnType<typeof values> | undefined;
  let left = keys.length;
  const piece = async (i: number) => {
    whole ??= values();
    const all = await whole;
    const count = all.length / keys.length;
    left -= 1;
    if (left === 0) [whole, left] = [undefined, keys.length];
    return all.slice(i * count, (i + 1) * count);
  };
  return Object.fromEntries(
    keys.map((key, i) => [key, { dtype: 'F32', shape, data: () => piece(i) } as const]),
  );
}

/** The values of one parameter, in our order of rows, from those of the tensor that holds it. */
export function ownValues(
  { rows, part }: Pick<KeyPlace, 'rows' | 'part'>,
  values: Float32Array,
): Float32Array {
  const own = partOf(values, part);
  return rows ? takeRows(own, rows()) : own;
}

/** The values of one part. */
function partOf(values: Float32Array, part: KeyPart | undefined): Float32Array {
  if (!part) return values;
  const count = values.length / part.of;
  return values.slice(part.index * count, (part.index + 1) * count);
}

/** The values of several parameters, one after the other. */
export async function joined(parts: readonly ParameterValues['values'][]): Promise<Float32Array> {
  const all: Float32Array[] = [];
  for (const values of parts) all.push(await values());
  return concatenated(all);
}

function concatenated(all: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const values of all) {
    whole.set(values, offset);
    offset += values.length;
  }
  return whole;
}
