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
  const tensors: Record<string, LazyTensorInput> = {};
  for (const [path, variable] of Object.entries(params)) {
    const data = async () => (await readTensor(variable)) as Float32Array;
    tensors[`params.${path}`] = { dtype: 'F32', shape: variable.shape, data };
  }
  for (const [name, { shape, copy }] of Object.entries(optimizer.moments)) {
    const data = async () => {
      const moment = copy();
      const values = (await readTensor(moment)) as Float32Array;
      moment.dispose();
      return values;
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
  const { moments } = optimizer;
  const wanted: Record<string, { shape: number[] }> = {};
  for (const [path, variable] of Object.entries(params)) wanted[`params.${path}`] = variable;
  for (const [path, moment] of Object.entries(moments)) wanted[`adamw.${path}`] = moment;
  for (const [key, { shape }] of Object.entries(wanted)) {
    const found = file.tensors.get(key)?.shape.join(', ');
    const expected = shape.join(', ');
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
