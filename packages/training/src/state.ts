import { checkFinite, InputError, type RandomState, readTensor } from '@headwise/core';
import { allFinite } from '@headwise/core/internal';
import { type LazyTensorInput, type SafetensorsFile, toFloat32 } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { DivergedError } from './diverged.js';
import type { Ema } from './ema.js';
import { type KeptBatches, restoreBatches, savedBatches } from './kept-batches.js';
import type { LossScale, LossScaleState } from './loss-scale.js';
import type { Optimizer, StateTensor } from './optimizer.js';

/** The counters and random state of a training run. */
export interface Progress {
  /** Steps made; the next one has this number, and the data position follows from it. */
  step: number;
  random: RandomState;
}

/** What training updates. */
export interface Trained {
  params: Readonly<Record<string, tf.Variable>>;
  optimizer: Optimizer;
  /** An average of the parameters. */
  ema?: Ema | undefined;
  /** The batches; those that depend on more than their number are saved too. */
  batches?: ({ at?: unknown } & Partial<KeptBatches>) | undefined;
  /** What the loss is multiplied by. */
  lossScale?: LossScale | undefined;
}

const format = 'headwise-trainer-1';

/**
 * Serialises a training run's parameters, optimizer, averages, kept batches and progress into one safetensors file.
 *
 * Tensors: `params.<path>`, the optimizer's as `<optimizer>.<slot>.<path>`, such as `adamw.m.<path>`, and the averages as
 * `ema.<path>`, and what batches keep as `batches.<name>`; metadata: the optimizer, step, updates, averaged (updates of the averages), loss scale, random state. It is the same within `Ema.during`. Reading
 * a tensor that holds NaN or an infinite value throws a DivergedError, so that such a state is not saved.
 */
export function trainerState(
  trained: Trained,
  progress: Progress,
): { tensors: Record<string, LazyTensorInput>; metadata: Record<string, string> } {
  const { params, optimizer, ema, lossScale } = trained;
  const own = Object.entries(params).map(([path, variable]): [string, StateTensor] => [
    path,
    ema?.own[path] ?? { shape: variable.shape, copy: () => variable.clone() },
  ]);
  const tensors: Record<string, LazyTensorInput> = {};
  const all = { ...prefixed('params', Object.fromEntries(own)), ...savedState(trained) };
  for (const [name, { shape, copy }] of Object.entries(all)) {
    const data = async () => {
      const now = copy();
      const values = (await readTensor(now)) as Float32Array;
      now.dispose();
      return finite(name, values, progress);
    };
    tensors[name] = { dtype: 'F32', shape, data };
  }
  const kept = savedBatches(trained.batches);
  Object.assign(tensors, kept.tensors);
  const metadata = {
    format,
    ...kept.metadata,
    optimizer: optimizer.name,
    step: String(progress.step),
    updates: String(optimizer.steps),
    ...(ema ? { averaged: String(ema.steps) } : {}),
    ...(lossScale ? { lossScale: JSON.stringify(lossScale.state) } : {}),
    random: JSON.stringify(progress.random),
  };
  return { tensors, metadata };
}

/** The tensors of the optimizer and the averages by their names in the file. */
const savedState = ({ optimizer, ema }: Trained): Record<string, StateTensor> => ({
  ...prefixed(optimizer.name, optimizer.state),
  ...(ema ? prefixed('ema', ema.state) : {}),
});

const prefixed = <T>(name: string, tensors: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [`${name}.${key}`, tensor]));

/** The values of a tensor that is saved. */
function finite(name: string, values: Float32Array, { step }: Progress): Float32Array {
  if (allFinite(values)) return values;
  throw new DivergedError(
    `training diverged in step ${step - 1}: tensor '${name}' holds NaN or infinite values after its update; lower the learning rate`,
  );
}

/**
 * Sets parameters, optimizer, averages, loss scale and kept batches to a saved state.
 *
 * Everything is checked before anything is changed.
 *
 * @param name the file's, for errors
 * @throws InputError where the state is of another format, model or optimizer, or holds values that are not finite
 */
export function restoreTrainer(trained: Trained, file: SafetensorsFile, name: string): Progress {
  const { params, optimizer, ema, lossScale } = trained;
  const progress = readProgress(file.metadata, name);
  const updates = wholeNumber(file.metadata, 'updates', name);
  checkOptimizer(file.metadata, optimizer, name);
  const averaged = averagedIn(file.metadata, ema, name);
  const scaled = lossScaleIn(file.metadata, lossScale, name);
  checkTensors({ ...prefixed('params', params), ...savedState(trained) }, file, name);
  restoreBatches(trained.batches, file, name);
  const tensor = (key: string) => tensorOf(file, key, name);
  tf.tidy(() => {
    for (const [path, variable] of Object.entries(params))
      variable.assign(tensor(`params.${path}`));
    const tensors = mapped(optimizer.state, (key) => tensor(`${optimizer.name}.${key}`));
    optimizer.restore({ steps: updates, tensors });
    ema?.restore({ steps: averaged, tensors: mapped(ema.state, (path) => tensor(`ema.${path}`)) });
  });
  if (scaled) lossScale!.restore(scaled);
  return progress;
}

/**
 * Sets a model's parameters to what a training has saved as its result: the averages of weights where it keeps them, else the weights.
 *
 * @param params by path, as `ParamStore.named` gives them
 * @param name the file's, for errors
 * @throws InputError where the state is of another format or model
 */
export function restoreWeights(
  params: Readonly<Record<string, tf.Variable>>,
  file: SafetensorsFile,
  name: string,
): void {
  readProgress(file.metadata, name);
  const part = file.metadata.averaged === undefined ? 'params' : 'ema';
  checkTensors(prefixed(part, params), file, name);
  tf.tidy(() => {
    for (const [path, variable] of Object.entries(params)) {
      variable.assign(tensorOf(file, `${part}.${path}`, name));
    }
  });
}

/** Throws where a tensor is missing, of another shape or not finite. */
function checkTensors(
  wanted: Readonly<Record<string, { shape: readonly number[] }>>,
  file: SafetensorsFile,
  name: string,
): void {
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
  for (const key of Object.keys(wanted)) {
    checkFinite(`${name}: tensor '${key}'`, toFloat32(file.get(key), { file: name, key }));
  }
}

const tensorOf = (file: SafetensorsFile, key: string, name: string): tf.Tensor =>
  tf.tensor(toFloat32(file.get(key), { file: name, key }), [...file.get(key).shape]);

const mapped = <T>(of: object, value: (key: string) => T): Record<string, T> =>
  Object.fromEntries(Object.keys(of).map((key) => [key, value(key)]));

type Metadata = Readonly<Record<string, string>>;

/** Throws for the state of another optimizer; files that do not name one are AdamW's. */
function checkOptimizer(
  { optimizer = 'adamw' }: Metadata,
  { name: expected }: Optimizer,
  name: string,
): void {
  if (optimizer === expected) return;
  throw new InputError(`${name}: the optimizer is '${optimizer}'; expected '${expected}'`);
}

/** The updates of the averages; throws where the file has averages and the training has none, or the other way around. */
function averagedIn(metadata: Metadata, ema: Ema | undefined, name: string): number {
  if (metadata.averaged === undefined && !ema) return 0;
  if (!ema) throw new InputError(`${name}: holds averages of weights; expected an 'ema' for them`);
  if (metadata.averaged === undefined) {
    throw new InputError(
      `${name}: holds no averages of weights; expected a training without 'ema'`,
    );
  }
  return wholeNumber(metadata, 'averaged', name);
}

/** The saved loss scale; throws where the file has one and the training has none, or the other way around. */
function lossScaleIn(
  metadata: Metadata,
  lossScale: LossScale | undefined,
  name: string,
): LossScaleState | undefined {
  const { lossScale: text } = metadata;
  if (text === undefined && !lossScale) return undefined;
  if (!lossScale)
    throw new InputError(`${name}: holds a loss scale; expected a 'lossScale' for it`);
  const found = /^\{"value":([\d.e+-]{1,32}),"finite":(\d{1,15}),"skipped":(\d{1,15})\}$/.exec(
    text ?? '',
  );
  const [value, finite, skipped] = found?.slice(1).map(Number) ?? [];
  if (!(value! > 0 && Math.fround(value!) === value)) {
    throw new InputError(
      text === undefined
        ? `${name}: holds no loss scale; expected a training without 'lossScale'`
        : `${name}: lossScale is '${text}'; expected its value, a float32 above 0, and counts of finite and skipped steps`,
    );
  }
  return { value, finite: finite!, skipped: skipped! };
}

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
