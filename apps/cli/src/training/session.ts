import { type LanguageModel, Random } from '@headwise/core';
import { sequentialBatches } from '@headwise/data';
import type { Model } from '@headwise/models';
import { modelFiles } from '@headwise/models/node';
import { readSafetensors } from '@headwise/safetensors';
import {
  AdamW,
  bitsPerByte,
  evaluate,
  restoreTrainer,
  type TrainStep,
  train,
  warmupCosine,
} from '@headwise/training';
import { trainerFile } from '@headwise/training/node';
import { duration, type Output, progress } from '../output.js';
import type { RunConfig } from '../run-config.js';
import type { RunFolder } from '../run-folder.js';
import { newModel, type RunData } from './prepare.js';

/**
 * One stretch of a training run on one device: from the last checkpoint, or the start, to the end.
 *
 * It owns the model and the optimizer; `dispose` frees both.
 */
export class Session {
  readonly model: Model<LanguageModel>;
  readonly #optimizer: AdamW;
  readonly #random: Random;
  readonly #config: RunConfig;
  readonly #data: RunData;
  readonly #folder: RunFolder;
  #step: number;

  private constructor(
    parts: { model: Model<LanguageModel>; optimizer: AdamW; random: Random; step: number },
    run: { config: RunConfig; data: RunData; folder: RunFolder },
  ) {
    this.model = parts.model;
    this.#optimizer = parts.optimizer;
    this.#random = parts.random;
    this.#step = parts.step;
    this.#config = run.config;
    this.#data = run.data;
    this.#folder = run.folder;
  }

  /** Makes the model, and sets it to the folder's checkpoint if there is one. */
  static async open(
    run: { config: RunConfig; data: RunData; folder: RunFolder },
    out: Output,
  ): Promise<Session> {
    const { config, data, folder } = run;
    const model = newModel(config, data.tokenizer.vocabSize);
    const optimizer = newOptimizer(model, config);
    try {
      const state = await folder.state(out.note);
      if (!state) {
        const random = new Random(config.training.seed);
        return new Session({ model, optimizer, random, step: 0 }, run);
      }
      const trained = { params: model.params.named(), optimizer };
      const saved = restoreTrainer(trained, readSafetensors(state.bytes, state), state.name);
      return new Session(
        { model, optimizer, random: new Random(saved.random), step: saved.step },
        run,
      );
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

  /**
   * Measures loss and bits per byte on the validation part, and notes them in the history.
   *
   * @param stop ends it without a result
   * @throws DivergedError where the loss is not finite
   */
  async validate(stop: AbortSignal): Promise<void> {
    const { ids, bytes } = this.#data.validation;
    const batches = sequentialBatches(ids, { batchSize: 16, length: this.#config.model.context });
    try {
      const measured = await evaluate(this.model.network, batches, { signal: stop });
      const validation = { loss: measured.loss, bitsPerByte: bitsPerByte(measured, bytes) };
      this.#folder.note({ step: this.#step, validation });
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  /**
   * Trains to the end, with a checkpoint every `checkpointEvery` steps and one at the end, after a validation.
   *
   * @param stop ends the training after the step that it is in, with a checkpoint
   * @throws DivergedError where weights or losses are no longer finite; the checkpoint before stays
   */
  async run(out: Output, stop: AbortSignal): Promise<void> {
    const { steps, checkpointEvery } = this.#config.training;
    const bar = progress(out, steps, this.#step);
    const speed = new Speed();
    try {
      for await (const made of this.#train()) {
        this.#step = made.step + 1;
        const { step, loss, gradientNorm, learningRate, ms } = made;
        this.#folder.note({ step, loss, gradientNorm, learningRate, ms });
        out.emit({ event: 'step', ...made });
        bar.update(this.#step, speed.describe(made, steps));
        const last = this.#step === steps;
        if (last && !stop.aborted) await this.validate(stop);
        if (last || stop.aborted || this.#step % checkpointEvery === 0) await this.save();
        if (last || stop.aborted) return;
      }
    } finally {
      bar.stop();
    }
  }

  /** Saves the state to resume from and the model for other commands, as one. */
  async save(): Promise<void> {
    const trained = { params: this.model.params.named(), optimizer: this.#optimizer };
    const state = trainerFile(trained, { step: this.#step, random: this.#random.state });
    await this.#folder.save({ state, model: modelFiles(this.model) });
  }

  /** Frees the model and the optimizer. */
  dispose(): void {
    this.#optimizer.dispose();
    this.model.params.dispose();
  }

  #train(): AsyncGenerator<TrainStep> {
    const { training } = this.#config;
    return train({
      network: this.model.network,
      params: this.model.params.named(),
      optimizer: this.#optimizer,
      schedule: warmupCosine({
        peak: training.learningRate,
        floor: training.minLearningRate,
        warmupSteps: training.warmupSteps,
        totalSteps: training.steps,
      }),
      batches: this.#data.batches,
      start: this.#step,
      steps: training.steps,
      maxNorm: training.maxNorm,
      random: this.#random,
    });
  }
}

export function newOptimizer(model: Model, { training }: RunConfig): AdamW {
  return new AdamW(model.params.named(), {
    beta2: training.beta2,
    weightDecay: training.weightDecay,
  });
}

/** Tokens a second and the time left, over the steps of this stretch. */
class Speed {
  readonly #begun = performance.now();
  #tokens = 0;
  #steps = 0;
  #loss: number | undefined;

  describe(made: TrainStep, total: number): string {
    this.#tokens += made.tokens;
    this.#steps++;
    // Smoothed, as single batches vary.
    this.#loss = this.#loss === undefined ? made.loss : 0.9 * this.#loss + 0.1 * made.loss;
    const seconds = (performance.now() - this.#begun) / 1000;
    const left = ((total - made.step - 1) * seconds) / this.#steps;
    return `loss ${this.#loss.toFixed(3)}  ${Math.round(this.#tokens / seconds)} tokens/s  ${duration(left)} left`;
  }
}
