import { InputError, type LanguageModel, Random } from '@headwise/core';
import { generate } from '@headwise/generation';
import type { Model } from '@headwise/models';
import type { RunData } from '@headwise/runs';
import { readSafetensors, streamSafetensors } from '@headwise/safetensors';
import { Tokenizer } from '@headwise/tokenizers';
import {
  AdamW,
  evaluate,
  restoreTrainer,
  type TrainStep,
  train,
  trainerState,
  warmupCosine,
} from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { prepareData } from '../data/prepare.js';
import { withContext } from '../data/size-of-data.js';
import { buildModel } from '../model/build.js';
import type { RunConfig } from '../model/run-config.js';
import { hasRunFile, keepRunFiles, readRunFile, writeRunFile } from '../store/files.js';
import type { RunRecord, Sample } from '../store/records.js';
import { heldStates } from './run-lock.js';

/** Tokens of a sample of running text. */
const sampleTokens = 60;

const stateName = (step: number) => `state-${step}.safetensors`;
const tokenizerName = 'tokenizer.json';

/**
 * One stretch of a run on one device: from its last saved state, or the start.
 *
 * It owns the model and the optimizer; `dispose` frees both.
 */
export class RunSession {
  readonly model: Model<LanguageModel>;
  readonly data: RunData;
  readonly #run: string;
  readonly #optimizer: AdamW;
  readonly #random: Random;
  readonly #steps: AsyncGenerator<TrainStep>;
  /** Steps made. */
  step: number;

  private constructor(
    parts: {
      model: Model<LanguageModel>;
      optimizer: AdamW;
      random: Random;
      step: number;
      data: RunData;
    },
    run: string,
    config: RunConfig,
  ) {
    this.model = parts.model;
    this.data = parts.data;
    this.step = parts.step;
    this.#run = run;
    this.#optimizer = parts.optimizer;
    this.#random = parts.random;
    const { training } = config;
    this.#steps = train({
      network: parts.model.network,
      params: parts.model.params.named(),
      optimizer: parts.optimizer,
      schedule: warmupCosine({
        peak: training.learningRate,
        floor: training.minLearningRate,
        warmupSteps: training.warmupSteps,
        // A run that is shorter than its warm-up ends while the rate still rises.
        totalSteps: Math.max(training.warmupSteps, training.steps),
      }),
      batches: parts.data.batches,
      start: parts.step,
      steps: training.steps,
      maxNorm: training.maxNorm,
      random: parts.random,
    });
  }

  /** Makes the model of a run, and sets it to the run's saved state if it has one. */
  static async open(record: RunRecord, text: string | undefined): Promise<RunSession> {
    const config = withContext(record.config);
    const stored = await readRunFile(record.id, tokenizerName);
    const data = await prepareData(config, text, stored);
    const { seed, weightDecay } = config.training;
    const model = buildModel(config.model, data.tokenizer.vocabSize, seed);
    const optimizer = new AdamW(model.params.named(), { beta2: 0.99, weightDecay });
    try {
      if (!stored) {
        const json = new TextEncoder().encode(JSON.stringify(data.tokenizer.toJSON()));
        await writeRunFile(record.id, tokenizerName, [json]);
      }
      const state =
        record.checkpoint === undefined
          ? undefined
          : await readRunFile(record.id, stateName(record.checkpoint));
      if (!state) {
        const random = new Random(seed);
        return new RunSession({ model, optimizer, random, step: 0, data }, record.id, config);
      }
      const name = `the saved state of ${record.name}`;
      const trained = { params: model.params.named(), optimizer };
      const saved = restoreTrainer(trained, readSafetensors(state, { name }), name);
      const parts = { model, optimizer, random: new Random(saved.random), step: saved.step, data };
      return new RunSession(parts, record.id, config);
    } catch (error) {
      optimizer.dispose();
      model.params.dispose();
      throw error;
    }
  }

  /** Makes one step; undefined after the last. */
  async advance(): Promise<TrainStep | undefined> {
    const { value, done } = await this.#steps.next();
    if (done) return undefined;
    this.step = value.step + 1;
    return value;
  }

  /** The mean loss on what is held back. */
  async validate(): Promise<number> {
    return (await evaluate(this.model.network, this.data.validation())).loss;
  }

  /** What the model writes now, always from the same seed. */
  async samples(): Promise<Sample[]> {
    const { tokenizer, prompts } = this.data;
    const samples: Sample[] = [];
    for (const { prompt, expected } of prompts) {
      const { ids } = tokenizer.encode(prompt);
      const options =
        expected === undefined
          ? { temperature: 0.8, maxNewTokens: sampleTokens, seed: 1 }
          : { temperature: 0, maxNewTokens: expected.length };
      const made: number[] = [];
      for await (const id of generate(this.model.network, ids, options)) made.push(id);
      const text = tokenizer.decode(made);
      samples.push({
        step: this.step,
        prompt,
        text,
        ...(expected === undefined ? {} : { expected }),
      });
    }
    return samples;
  }

  /** Writes the state to go on from; older states stay until `forgetOlder`. */
  async save(): Promise<number> {
    const trained = { params: this.model.params.named(), optimizer: this.#optimizer };
    const progress = { step: this.step, random: this.#random.state };
    const { tensors, metadata } = trainerState(trained, progress);
    const name = stateName(this.step);
    await writeRunFile(this.#run, name, streamSafetensors(tensors, metadata, { name }));
    return this.step;
  }

  /** Removes the states before the one that the run's record now names, but for those that a fork waits for. */
  async forgetOlder(checkpoint: number): Promise<void> {
    const steps = [checkpoint, ...(await heldStates(this.#run))];
    const wanted = new Set([tokenizerName, ...steps.map(stateName)]);
    await keepRunFiles(this.#run, (name) => wanted.has(name));
  }

  /** Frees the model, the optimizer, and what the loop of training holds between two steps. */
  dispose(): void {
    void this.#steps.return(undefined);
    this.#optimizer.dispose();
    this.model.params.dispose();
  }
}

/**
 * The model of a run that is not training, as it was saved last, and its tokenizer.
 *
 * @throws InputError where nothing of it is saved
 */
export async function savedModel(
  record: RunRecord,
): Promise<{ model: Model<LanguageModel>; tokenizer: Tokenizer }> {
  const { checkpoint, name, id, config } = record;
  const state = checkpoint === undefined ? undefined : await readRunFile(id, stateName(checkpoint));
  const json = await readRunFile(id, tokenizerName);
  if (!state || !json) {
    throw new InputError(`${name} has no saved state yet; let it train, then try again`);
  }
  const tokenizer = Tokenizer.fromBytes(json);
  const file = readSafetensors(state, { name: `the saved state of ${name}` });
  const { model: sizes, training } = withContext(config);
  const model = buildModel(sizes, tokenizer.vocabSize, training.seed);
  try {
    for (const [path, variable] of Object.entries(model.params.named())) {
      const { data, shape } = file.get(`params.${path}`);
      tf.tidy(() => variable.assign(tf.tensor(data as Float32Array, [...shape])));
    }
  } catch (error) {
    model.params.dispose();
    throw error;
  }
  return { model, tokenizer };
}

/** Whether the state of a run after this many steps is saved. */
export function hasState(run: string, step: number): Promise<boolean> {
  return hasRunFile(run, stateName(step));
}

/** Copies a saved state and the tokenizer to a run that goes on from there. */
export async function copyState(from: string, to: string, step: number): Promise<void> {
  for (const name of [tokenizerName, stateName(step)]) {
    const bytes = await readRunFile(from, name);
    if (bytes) await writeRunFile(to, name, [bytes]);
  }
}
