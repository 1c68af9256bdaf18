import { copyFile, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LoadedModel, type Lora, loadModel } from '@headwise/models';
import { folderFiles, loadAdapter } from '@headwise/models/node';
import { readSafetensors } from '@headwise/safetensors';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import {
  constantRate,
  type ExampleBatch,
  type Objective,
  type Optimizer,
  train,
} from '../index.js';

/** Tensors of a golden, by name. */
export type Tensors = Record<string, { shape: number[]; data: number[] }>;

/** Twenty steps of PyTorch. */
export interface Steps {
  model: string;
  /** The file of the weights after the last step. */
  after: string;
  losses: readonly number[];
}

/** What takes the steps of a golden. */
export interface Trainee {
  params: Readonly<Record<string, tf.Variable>>;
  objective: Objective<never>;
  optimizer: Optimizer;
  rate: number;
  batchOf: (step: number) => ExampleBatch;
  /** Losses smaller than this are compared on its scale; default 0. */
  least?: number;
}

/** The path of a file or folder of the goldens. */
export const fileOf = (name: string): string =>
  fileURLToPath(new URL(`../goldens/steps/${name}`, import.meta.url));

/** A model as a golden's steps begin, or end, with it. */
export function modelOf(
  { model, after }: Steps,
  when: 'before' | 'after' = 'before',
): Promise<LoadedModel> {
  const [own, weights] = [folderFiles(fileOf(model)), folderFiles(fileOf('after'))];
  const moved = (name: string) => when === 'after' && name === 'model.safetensors';
  return loadModel({
    name: when === 'after' ? after : own.name,
    open: (name) => (moved(name) ? weights.open(after.replace('after/', '')) : own.open(name)),
  });
}

/** A tensor that was trained beside the model, after the last step. */
export async function tensorAfter({ after }: Steps, name: string): Promise<tf.Tensor> {
  const file = readSafetensors(await readFile(fileOf(after)));
  const { data, shape } = file.get(name);
  return tf.tensor(data as Float32Array, [...shape]);
}

/** The adapter after the last step; it has the configuration of the first. */
async function adapterAfter({ after }: Steps, model: LoadedModel): Promise<Lora> {
  const before = fileOf(basename(after, '.safetensors'));
  const folder = await mkdtemp(join(tmpdir(), 'headwise-adapter-'));
  await copyFile(join(before, 'adapter_config.json'), join(folder, 'adapter_config.json'));
  await copyFile(fileOf(after), join(folder, 'adapter_model.safetensors'));
  return loadAdapter(folder, model);
}

/** Takes the steps; expects the losses of PyTorch, each to 1e-4. */
export async function expectLosses({ losses }: Steps, trainee: Trainee): Promise<void> {
  const { params, optimizer, batchOf, rate, least = 0 } = trainee;
  const run = train({
    objective: trainee.objective as Objective<ExampleBatch>,
    params,
    optimizer,
    schedule: constantRate(rate),
    batches: { at: batchOf },
    steps: losses.length,
  });
  const made: number[] = [];
  for await (const { loss } of run) made.push(loss);
  for (const [step, loss] of losses.entries()) {
    const error = Math.abs(made[step]! - loss) / Math.max(least, Math.abs(loss));
    expect(error, `step ${step}: ${made[step]}, ${loss}`).toBeLessThan(1e-4);
  }
}

/**
 * Expects the weights of PyTorch after its steps, to 1e-4.
 *
 * Left out are parameters whose gradient is 0: what is computed of it are roundings, which Adam divides by their own size. That is the
 * bias of keys, as it adds the same number to all scores of a query; neither the losses nor other weights depend on it.
 *
 * @param options `without`: other such parameters; `adapted`: the model whose adapter was trained, instead of the model
 */
export async function expectWeights(
  steps: Steps,
  params: Trainee['params'],
  { without, adapted }: { without?: RegExp | undefined; adapted?: LoadedModel | undefined } = {},
): Promise<void> {
  const expected = adapted ? await adapterAfter(steps, adapted) : await modelOf(steps, 'after');
  for (const [path, variable] of Object.entries(expected.params.named())) {
    if (/\.kProj\.bias$/.test(path) || without?.test(path) || !params[path]) continue;
    const [given, wanted] = [params[path], variable].map((weights) => withoutKeys(path, weights));
    await expectClose(given!, wanted!, { ratio: 1e-4 }).catch((error: Error) => {
      throw new Error(`${path}: ${error.message}`);
    });
    tf.dispose([given!, wanted!]);
  }
  expected.params.dispose();
}

/** A copy of a parameter; of a bias of queries, keys and values without that of keys. */
function withoutKeys(path: string, weights: tf.Tensor): tf.Tensor {
  if (!/\.qkv\.bias$/.test(path)) return weights.clone();
  return tf.tidy(() => {
    const [queries, , values] = tf.split(weights, 3);
    return tf.concat([queries!, values!]);
  });
}
