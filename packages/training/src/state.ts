import { InputError, type RandomState, readTensor } from '@headwise/core';
import { type LazyTensorInput, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import type { AdamW } from './adamw.js';

/** The numbers that a training run needs to go on where it stood. */
export interface Progress {
  /** Steps made; the next one has this number, and the data position follows from it. */
  step: number;
  random: RandomState;
}

/** What training changes. */
export interface Trained {
  params: Readonly<Record<string, tf.Variable>>;
  optimizer: AdamW;
}

const format = 'headwise-trainer-1';

/**
 * Everything of a training run in one safetensors file, so that it is saved whole or not at all.
 *
 * Tensors: `params.<path>`, `adamw.m.<path>`, `adamw.v.<path>`; metadata: step, updates, random state.
 */
export function trainerState(
  { params, optimizer }: Trained,
  progress: Progress,
): { tensors: Record<string, LazyTensorInput>; metadata: Record<string, string> } {
  const { steps, tensors: moments } = optimizer.state;
  const tensors: Record<string, LazyTensorInput> = {};
  const add = (name: string, tensor: tf.Tensor) => {
    tensors[name] = {
      dtype: 'F32',
      shape: tensor.shape,
      data: async () => (await readTensor(tensor)) as Float32Array,
    };
  };
  for (const [path, variable] of Object.entries(params)) add(`params.${path}`, variable);
  for (const [name, moment] of Object.entries(moments)) add(`adamw.${name}`, moment);
  const metadata = {
    format,
    step: String(progress.step),
    updates: String(steps),
    random: JSON.stringify(progress.random),
  };
  return { tensors, metadata };
}

/**
 * Sets parameters and optimizer to a saved state.
 *
 * Everything is checked before anything is changed.
 *
 * @param name the file's, for errors
 * @throws InputError where the state is of another format or of another model
 */
export function restoreTrainer(
  { params, optimizer }: Trained,
  file: SafetensorsFile,
  name: string,
): Progress {
  const { metadata } = file;
  if (metadata.format !== format) {
    throw new InputError(`${name}: format is '${metadata.format}'; expected '${format}'`);
  }
  const moments = optimizer.state.tensors;
  const wanted: Record<string, tf.Tensor> = {};
  for (const [path, variable] of Object.entries(params)) wanted[`params.${path}`] = variable;
  for (const [path, moment] of Object.entries(moments)) wanted[`adamw.${path}`] = moment;
  for (const [key, tensor] of Object.entries(wanted)) {
    const found = file.tensors.get(key)?.shape.join(', ');
    const expected = tensor.shape.join(', ');
    if (found !== expected) {
      throw new InputError(
        `${name}: tensor '${key}' has shape [${found ?? 'none'}]; the model needs [${expected}]`,
      );
    }
  }
  const read = (key: string) => {
    const stored = file.get(key);
    return tf.tensor(toFloat32(stored, { file: name, key }), [...stored.shape]);
  };
  const progress = { step: Number(metadata.step), random: JSON.parse(metadata.random ?? '[]') };
  if (!Number.isSafeInteger(progress.step)) {
    throw new InputError(`${name}: step is '${metadata.step}'; expected a whole number`);
  }
  tf.tidy(() => {
    for (const [path, variable] of Object.entries(params)) variable.assign(read(`params.${path}`));
    const tensors = Object.fromEntries(
      Object.keys(moments).map((path) => [path, read(`adamw.${path}`)]),
    );
    optimizer.restore({ steps: Number(metadata.updates), tensors });
  });
  return progress;
}
