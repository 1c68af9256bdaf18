import { checkFinite, InputError, type RandomState, readTensor } from '@headwise/core';
import { allFinite } from '@headwise/core/internal';
import { type LazyTensorInput, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import type { AdamW } from './adamw.js';
import { DivergedError } from './diverged.js';

/** The counters and random state of a training run. */
export interface Progress {
  /** Steps made; the next one has this number, and the data position follows from it. */
  step: number;
  random: RandomState;
}

/** The parameters and the optimizer that training updates. */
export interface Trained {
  params: Readonly<Record<string, tf.Variable>>;
  optimizer: AdamW;
}

const format = 'headwise-trainer-1';

/**
 * Serialises a training run's parameters, optimizer and progress into one safetensors file.
 *
 * Tensors: `params.<path>`, `adamw.m.<path>`, `adamw.v.<path>`; metadata: step, updates, random state. Reading a tensor
 * that holds NaN or an infinite value throws a DivergedError, so that such a state is not saved.
 */
export function trainerState(
  { params, optimizer }: Trained,
  progress: Progress,
): { tensors: Record<string, LazyTensorInput>; metadata: Record<string, string> } {
  const tensors: Record<string, LazyTensorInput> = {};
  for (const [path, variable] of Object.entries(params)) {
    const name = `params.${path}`;
    const data = async () => finite(name, (await readTensor(variable)) as Float32Array, progress);
    tensors[name] = { dtype: 'F32', shape: variable.shape, data };
  }
  for (const [name, { shape, copy }] of Object.entries(optimizer.moments)) {
    const data = async () => {
      const moment = copy();
      const values = (await readTensor(moment)) as Float32Array;
      moment.dispose();
      return finite(`adamw.${name}`, values, progress);
    };
    tensors[`adamw.${name}`] = { dtype: 'F32', shape, data };
  }
  const metadata = {
    format,
    step: String(progress.step),
    updates: String(optimizer.steps),
    random: JSON.stringify(progress.random),
  };
  return { tensors, metadata };
}

/** The values of a tensor that is saved. */
function finite(name: string, values: Float32Array, { step }: Progress): Float32Array {
  if (allFinite(values)) return values;
  throw new DivergedError(
    `training diverged in step ${step - 1}: tensor '${name}' holds NaN or infinite values after its update; lower the learning rate`,
  );
}

/**
 * Sets parameters and optimizer to a saved state.
 *
 * Everything is checked before anything is changed.
 *
 * @param name the file's, for errors
 * @throws InputError where the state is of another format or of another model, or holds values that are not finite
 */
export function restoreTrainer(
  { params, optimizer }: Trained,
  file: SafetensorsFile,
  name: string,
): Progress {
  const progress = readProgress(file.metadata, name);
  const updates = wholeNumber(file.metadata, 'updates', name);
  const { moments } = optimizer;
  const wanted: Record<string, { shape: number[] }> = {};
  for (const [path, variable] of Object.entries(params)) wanted[`params.${path}`] = variable;
  for (const [path, moment] of Object.entries(moments)) wanted[`adamw.${path}`] = moment;
  for (const [key, { shape }] of Object.entries(wanted)) {
    const found = file.tensors.get(key);
    const [given, expected] = [
      found ? `${found.dtype} [${found.shape.join(', ')}]` : 'missing',
      `F32 [${shape.join(', ')}]`,
    ];
    if (given !== expected) {
      throw new InputError(`${name}: tensor '${key}' is ${given}; the model needs ${expected}`);
    }
  }
  const read = (key: string) => toFloat32(file.get(key), { file: name, key });
  for (const key of Object.keys(wanted)) checkFinite(`${name}: tensor '${key}'`, read(key));
  const tensor = (key: string) => tf.tensor(read(key), [...file.get(key).shape]);
  tf.tidy(() => {
    for (const [path, variable] of Object.entries(params))
      variable.assign(tensor(`params.${path}`));
    const tensors = Object.fromEntries(
      Object.keys(moments).map((path) => [path, tensor(`adamw.${path}`)]),
    );
    optimizer.restore({ steps: updates, tensors });
  });
  return progress;
}

type Metadata = Readonly<Record<string, string>>;

function readProgress(metadata: Metadata, name: string): Progress {
  if (metadata.format !== format) {
    throw new InputError(`${name}: format is '${metadata.format}'; expected '${format}'`);
  }
  const step = wholeNumber(metadata, 'step', name);
  const words = /^\[(\d+),(\d+),(\d+),(\d+)\]$/
    .exec(metadata.random ?? '')
    ?.slice(1)
    .map(Number);
  if (!words?.every((word) => word < 2 ** 32) || words.every((word) => word === 0)) {
    throw new InputError(
      `${name}: random is '${metadata.random}'; expected four words of 32 bits, not all zero`,
    );
  }
  return { step, random: words as unknown as RandomState };
}

function wholeNumber(metadata: Metadata, key: string, name: string): number {
  const value = metadata[key];
  if (value === undefined || !/^\d{1,15}$/.test(value)) {
    throw new InputError(`${name}: ${key} is '${value}'; expected a whole number`);
  }
  return Number(value);
}
