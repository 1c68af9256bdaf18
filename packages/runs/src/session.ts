import { type LanguageModel, type Network, Random } from '@headwise/core';
import type { Lora, Model } from '@headwise/models';
import { readSafetensors, streamSafetensors } from '@headwise/safetensors';
import {
  type ExampleBatch,
  LossScale,
  restoreTrainer,
  type TokenBatch,
  type TrainStep,
  train,
  trainerState,
} from '@headwise/training';
import type { Sample } from './history.js';
import { newWork } from './new-work.js';
import type { RunConfig } from './run-config.js';
import type { RunData } from './run-data.js';
import { freeWork, type SessionWork, trainedOf, trainedParams } from './session-work.js';
import type { RunStorage } from './storage.js';

/** What a session trains, on what, and where it is kept. */
export interface SessionParts {
  config: RunConfig;
  data: RunData;
  storage: RunStorage;
}

/** Where a session begins. */
interface Started {
  step: number;
  random: Random;
  lossScale: LossScale | undefined;
  validated: boolean;
}

/** Asks for an early end. */
export interface StopOptions {
  /** Ends the work after the step or the batch that it is in. */
  stop?: AbortSignal | undefined;
}

/**
 * A training run on one device: from its last checkpoint, or the start.
 *
 * It owns the model, the adapter and the optimizer; `dispose` frees them.
 *
 * @example
 * const session = await Session.open({ config, data, storage });
 * await session.begin();
 * while (await session.advance());
 * session.dispose();
 */
export class Session<N extends Network = LanguageModel, B extends ExampleBatch = TokenBatch> {
  readonly #work: SessionWork<N, B>;
  readonly #random: Random;
  readonly #lossScale: LossScale | undefined;
  readonly #storage: RunStorage<N>;
  readonly #steps: AsyncGenerator<TrainStep>;
  #step: number;
  /** The number of steps after which the validation part was measured last. */
  #validated: number | undefined;
  #saved: number | undefined;

  private constructor(
    work: SessionWork<N, B>,
    storage: RunStorage<N>,
    { step, random, lossScale, validated }: Started,
  ) {
    this.#work = work;
    this.#storage = storage;
    this.#random = random;
    this.#lossScale = lossScale;
    this.#step = step;
    this.#saved = step > 0 ? step : undefined;
    this.#validated = validated ? step : undefined;
    this.#steps = this.#train();
  }

  /**
   * Makes the model of a run's file, and sets it to the last checkpoint if there is one.
   *
   * @throws InputError where the checkpoint is damaged or of another model
   */
  static open({ config, data, storage }: SessionParts): Promise<Session> {
    return Session.of(newWork(config, data), storage);
  }

  /**
   * Sets what is trained to the last checkpoint if there is one.
   *
   * @throws InputError where the checkpoint is damaged or of another model; the model, the adapter and the optimizer are
   * freed then
   */
  static async of<N extends Network, B extends ExampleBatch>(
    work: SessionWork<N, B>,
    storage: RunStorage<N>,
  ): Promise<Session<N, B>> {
    const { pace } = work;
    const lossScale = pace.precision === 'mixed' ? new LossScale() : undefined;
    try {
      const state = await storage.state();
      const trained = { ...trainedOf(work), lossScale };
      const saved =
        state && restoreTrainer(trained, readSafetensors(state.bytes, state), state.name);
      const random = new Random(saved?.random ?? pace.seed);
      const step = saved?.step ?? 0;
      const { validated } = await storage.rewind(step);
      return new Session(work, storage, { random, step, lossScale, validated });
    } catch (error) {
      freeWork(work);
      throw error;
    }
  }

  get model(): Model<N> {
    return this.#work.model;
  }

  /** What is trained in place of the model's parameters; undefined where those are. */
  get adapter(): Lora | undefined {
    return this.#work.adapter;
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
    const { predicted: tokens, unrecorded: _, ...noted } = made;
    this.#storage.note({ ...noted, tokens });
    const { steps, validateEvery, checkpointEvery, sampleEvery } = this.#work.pace;
    const last = this.#step === steps;
    const due = (period: number) => last || this.#step % period === 0;
    if (!stop?.aborted && due(validateEvery ?? steps)) await this.validate({ stop });
    if (!stop?.aborted && sampleEvery !== undefined && due(sampleEvery)) await this.#noteSamples();
    if (stop?.aborted || due(checkpointEvery)) await this.save();
    return made;
  }

  /**
   * Measures the loss on the validation part, with bits per byte of a text, and notes it in the history; does nothing where
   * there is no such part. Where averages of weights are kept, it is theirs.
   *
   * @throws DivergedError where the loss is not finite
   */
  async validate({ stop }: StopOptions = {}): Promise<void> {
    const { measure } = this.#work;
    try {
      const options = stop ? { signal: stop } : {};
      const validation = measure && (await this.asResult(() => measure(options)));
      if (validation) this.#storage.note({ step: this.#step, validation });
      this.#validated = this.#step;
    } catch (error) {
      if (!stop?.aborted) throw error;
    }
  }

  /** What the model writes now: the same each time that it is asked. */
  async *samples(): AsyncGenerator<Sample> {
    const { samples, ema } = this.#work;
    if (!samples) return;
    yield* ema ? await ema.during(() => listed(samples())) : samples();
  }

  /** Calls a function while the model or the adapter is what training gives: the averages of weights where it keeps them. */
  async asResult<T>(run: () => T | Promise<T>): Promise<T> {
    const { ema } = this.#work;
    return ema ? ema.during(run) : run();
  }

  /** Saves a checkpoint, unless one of this step is saved. */
  async save(): Promise<void> {
    if (this.#saved === this.#step) return;
    const { model, adapter } = this.#work;
    const step = this.#step;
    const progress = { step, random: this.#random.state };
    const trained = { ...trainedOf(this.#work), lossScale: this.#lossScale };
    const { tensors, metadata } = trainerState(trained, progress);
    const state = streamSafetensors(tensors, metadata, { name: 'the state of the training' });
    await this.asResult(() => this.#storage.save({ step, state, model, adapter }));
    this.#saved = step;
  }

  /** Frees the model, the adapter, the optimizer, the averages, and what training holds between two steps. */
  dispose(): void {
    void this.#steps.return(undefined);
    freeWork(this.#work);
  }

  async #noteSamples(): Promise<void> {
    for await (const sample of this.samples()) {
      this.#storage.note({ step: this.#step, sample });
    }
  }

  #train(): AsyncGenerator<TrainStep> {
    const { objective, optimizer, ema, schedule, batches, pace } = this.#work;
    return train({
      objective,
      params: trainedParams(this.#work),
      optimizer,
      ema,
      schedule,
      batches,
      start: this.#step,
      steps: pace.steps,
      maxNorm: pace.maxNorm,
      accumulate: pace.accumulate,
      checkpoint: pace.checkpointActivations,
      precision: pace.precision,
      lossScale: this.#lossScale,
      random: this.#random,
    });
  }
}

async function listed<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
