import { type ParamSource, readTensor } from '@headwise/core';
import { type LazyTensorInput, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import type * as tf from '@tensorflow/tfjs';
import { type KeyPart, type ModelFamily, placeOf, shapeInFile } from '../family.js';
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
      const { key, rows, part } = matching.find(path, shape);
      const values = partOf(toFloat32(file.get(key), { file: name, key }), part);
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
  const tensors: Record<string, LazyTensorInput> = {};
  /** Of tensors that hold several parameters, what gives the values of each. */
  const parts: Record<string, (() => Promise<Float32Array>)[]> = {};
  for (const [path, variable] of Object.entries(model.params.named())) {
    const { key, rows, part } = placeOf(table, path);
    const values = async () => (await readTensor(tensorOf(path, variable))) as Float32Array;
    const shape = shapeInFile(variable.shape, part);
    if (part) {
      const all = parts[key] ?? [];
      parts[key] = all;
      all[part.index] = values;
      tensors[key] = { dtype: 'F32', shape, data: () => joined(all) };
    } else {
      const data = async () => (rows ? giveRows(await values(), rows()) : values());
      tensors[key] = { dtype: 'F32', shape, data };
    }
  }
  for (const [key, data] of buffers) {
    tensors[key] = { dtype: 'F32', shape: [data.length], data: () => data };
  }
  return tensors;
}

/** The values of one part. */
function partOf(values: Float32Array, part: KeyPart | undefined): Float32Array {
  if (!part) return values;
  const count = values.length / part.of;
  return values.slice(part.index * count, (part.index + 1) * count);
}

async function joined(parts: readonly (() => Promise<Float32Array>)[]): Promise<Float32Array> {
  const all: Float32Array[] = [];
  for (const values of parts) all.push(await values());
  const whole = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const values of all) {
    whole.set(values, offset);
    offset += values.length;
  }
  return whole;
}
