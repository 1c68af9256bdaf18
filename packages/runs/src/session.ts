import { type LanguageModel, Random } from '@headwise/core';
import { generate } from '@headwise/generation';
import type { Model } from '@headwise/models';
import { readSafetensors, streamSafetensors } from '@headwise/safetensors';
import {
  bitsPerByte,
  causalLanguageModel,
  evaluate,
  type Objective,
  type Optimizer,
  restoreTrainer,
  type TokenBatch,
  type TrainStep,
  train,
  trainerState,
  warmupCosine,
} from '@headwise/training';
import type { Sample } from './history.js';
import { newModel, newOptimizer } from './model.js';
import type { RunConfig } from './run-config.js';
import type { RunData } from './run-data.js';
import type { RunStorage } from './storage.js';

/** What a session trains, on what, and where it is kept. */
export interface SessionParts {
  config: RunConfig;
  data: RunData;
  storage: RunStorage;
}

/** Asks for an early end. */
export interface StopOptions {
  /** Ends the work after the step or the batch that it is in. */
  stop?: AbortSignal | undefined;
}

/**
 * A training run on one device: from its last checkpoint, or the start.
 *
 * It owns the model and the optimizer; `dispose` frees both.
 *
 * @example
 * const session = await Session.open({ config, data, storage });
 * await session.begin();
 * while (await session.advance());
 * session.dispose();
 */
export class Session {
  readonly model: Model<LanguageModel>;
  readonly #optimizer: Optimizer;
  readonly #objective: Objective<TokenBatch>;
  readonly #random: Random;
  readonly #config: RunConfig;
  readonly #data: RunData;
  readonly #storage: RunStorage;
  readonly #steps: AsyncGenerator<TrainStep>;
  #step: number;
  /** The number of steps after which the validation part was measured last. */
  #validated: number | undefined;
  #saved: number | undefined;

  private constructor(
    { config, data, storage }: SessionParts,
    parts: { model: Model<LanguageModel>; optimizer: Optimizer; random: Random; step: number },
    validated: boolean,
  ) {
    this.model = parts.model;
    this.#objective = causalLanguageModel(parts.model.network);
    this.#optimizer = parts.optimizer;
    this.#random = parts.random;
    this.#step = parts.step;
    this.#saved = parts.step > 0 ? parts.step : undefined;
    this.#validated = validated ? parts.step : undefined;
    this.#config = config;
    this.#data = data;
    this.#storage = storage;
    this.#steps = this.#train();
  }

  /**
   * Makes the model, and sets it to the last checkpoint if there is one.
   *
   * @throws InputError where the checkpoint is damaged or of another model
   */
  static async open(parts: SessionParts): Promise<Session> {
    const { config, data, storage } = parts;
    const model = newModel(config, data.tokenizer.vocabSize);
    const optimizer = newOptimizer(model, config);
    try {
      const state = await storage.state();
      const trained = { params: model.params.named(), optimizer };
      const saved =
        state && restoreTrainer(trained, readSafetensors(state.bytes, state), state.name);
      const random = new Random(saved?.random ?? config.training.seed);
      const step = saved?.step ?? 0;
      const { validated } = await storage.rewind(step);
      return new Session(parts, { model, optimizer, random, step }, validated);
    } catch (error) {
      optimizer.dispose();
      model.params.dispose();
      throw error;
    }
  }

  /** Steps made. */
  get step(): number {
    return this.#step;
  }

  /** Whether the validation part was measured after the last step. */
  get validated(): boolean {
    return this.#validated === this.#step;
  }

  /** Measures the validation part before the first step, unless that was done. */
  async begin({ stop }: StopOptions = {}): Promise<void> {
    if (this.#step === 0 && !this.validated) await this.validate({ stop });
  }

  /**
   * Makes one step, with the validation, the samples and the checkpoint that are due after it; with a checkpoint alone
   * where it is to stop.
   *
   * @returns undefined where there is no step left
   * @throws DivergedError where weights or losses are no longer finite; the checkpoint before stays
   */
  async advance({ stop }: StopOptions = {}): Promise<TrainStep | undefined> {
    const { value: made, done } = await this.#steps.next();
    if (done) return undefined;
    this.#step = made.step + 1;
    const { step, loss, gradientNorm, learningRate, ms, predicted } = made;
    this.#storage.note({ step, loss, gradientNorm, learningRate, ms, tokens: predicted });
    const { steps, validateEvery, checkpointEvery } = this.#config.training;
    const every = this.#config.samples?.every;
    const last = this.#step === steps;
    const due = (period: number) => last || this.#step % period === 0;
    if (!stop?.aborted && due(validateEvery ?? steps)) await this.validate({ stop });
    if (!stop?.aborted && every !== undefined && due(every)) await this.#noteSamples();
    if (stop?.aborted || due(checkpointEvery)) await this.save();
    return made;
  }

  /**
   * Measures the loss on the validation part, with bits per byte of a text, and notes it in the history.
   *
   * @throws DivergedError where the loss is not finite
   */
  async validate({ stop }: StopOptions = {}): Promise<void> {
    const { validationBytes } = this.#data;
    try {
      const options = stop ? { signal: stop } : {};
      const measured = await evaluate(this.#objective, this.#data.validation(), options);
      const bits =
        validationBytes === undefined
          ? {}
          : { bitsPerByte: bitsPerByte(measured, validationBytes) };
      this.#storage.note({ step: this.#step, validation: { loss: measured.loss, ...bits } });
      this.#validated = this.#step;
    } catch (error) {
      if (!stop?.aborted) throw error;
    }
  }

  /** What the model writes now: the same each time that it is asked. */
  async *samples(): AsyncGenerator<Sample> {
    const { temperatures = [], maxNewTokens = 0, seed = 0 } = this.#config.samples ?? {};
    for (const { prompt, expected } of this.#data.prompts) {
      const { ids } = this.#data.tokenizer.encode(prompt);
      for (const temperature of expected === undefined ? temperatures : [0]) {
        const most = expected === undefined ? maxNewTokens : expected.length;
        const options = { temperature, maxNewTokens: most, seed };
        const made: number[] = [];
        for await (const id of generate(this.model.network, ids, options)) made.push(id);
        const text = this.#data.tokenizer.decode(made);
        yield { prompt, text, temperature, ...(expected === undefined ? {} : { expected }) };
      }
    }
  }

  /** Saves a checkpoint, unless one of this step is saved. */
  async save(): Promise<void> {
    if (this.#saved === this.#step) return;
    const trained = { params: this.model.params.named(), optimizer: this.#optimizer };
    const step = this.#step;
    const { tensors, metadata } = trainerState(trained, { step, random: this.#random.state });
    const state = streamSafetensors(tensors, metadata, { name: 'the state of the training' });
    await this.#storage.save({ step, state, model: this.model });
    this.#saved = step;
  }

  /** Frees the model, the optimizer, and what training holds between two steps. */
  dispose(): void {
    void this.#steps.return(undefined);
    this.#optimizer.dispose();
    this.model.params.dispose();
  }

  async #noteSamples(): Promise<void> {
    for await (const sample of this.samples()) {
      this.#storage.note({ step: this.#step, sample });
    }
  }

  #train(): AsyncGenerator<TrainStep> {
    const { training } = this.#config;
    return train({
      objective: this.#objective,
      params: this.model.params.named(),
      optimizer: this.#optimizer,
      schedule: warmupCosine({
        peak: training.learningRate,
        floor: training.minLearningRate,
        warmupSteps: training.warmupSteps,
        // A run that is shorter than its warm-up ends while the rate still rises.
        totalSteps: Math.max(training.warmupSteps, training.steps),
      }),
      batches: this.#data.batches,
      start: this.#step,
      steps: training.steps,
      maxNorm: training.maxNorm,
      random: this.#random,
    });
  }
}
