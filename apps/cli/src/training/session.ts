import { type LanguageModel, Random } from '@headwise/core';
import { sequentialBatches } from '@headwise/data';
import type { Model } from '@headwise/models';
import { saveModel } from '@headwise/models/node';
import {
  AdamW,
  bitsPerByte,
  evaluate,
  type TrainStep,
  train,
  warmupCosine,
} from '@headwise/training';
import { loadTrainer, saveTrainer } from '@headwise/training/node';
import { duration, type Output, progress } from '../output.js';
import type { RunConfig } from '../run-config.js';
import type { HistoryEntry, RunFolder } from '../run-folder.js';
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
  static async open(run: {
    config: RunConfig;
    data: RunData;
    folder: RunFolder;
  }): Promise<Session> {
    const { config, data, folder } = run;
    const model = newModel(config, data.tokenizer.vocabSize);
    const optimizer = newOptimizer(model, config);
    try {
      if (!(await folder.hasState())) {
        const random = new Random(config.training.seed);
        return new Session({ model, optimizer, random, step: 0 }, run);
      }
      const trained = { params: model.params.named(), optimizer };
      const saved = await loadTrainer(folder.statePath, trained);
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

  /** Loss and bits per byte on the validation part. */
  async validate(): Promise<{ loss: number; bitsPerByte: number }> {
    const { ids, bytes } = this.#data.validation;
    const batches = sequentialBatches(ids, { batchSize: 16, length: this.#config.model.context });
    const measured = await evaluate(this.model.network, batches);
    return { loss: measured.loss, bitsPerByte: bitsPerByte(measured, bytes) };
  }

  /**
   * Trains to the end, with a checkpoint every `checkpointEvery` steps and one at the end.
   *
   * @param stop ends the training after the step that it is in, with a checkpoint
   */
  async run(out: Output, stop: AbortSignal): Promise<void> {
    const { steps, checkpointEvery } = this.#config.training;
    const bar = progress(out, steps, this.#step);
    const speed = new Speed();
    let unsaved: HistoryEntry[] = [];
    try {
      for await (const made of this.#train()) {
        this.#step = made.step + 1;
        const { step, loss, gradientNorm, learningRate, ms } = made;
        unsaved.push({ step, loss, gradientNorm, learningRate, ms });
        out.emit({ event: 'step', ...made });
        bar.update(this.#step, speed.describe(made, steps));
        const last = this.#step === steps || stop.aborted;
        if (last || this.#step % checkpointEvery === 0) {
          await this.#folder.addHistory(unsaved);
          unsaved = [];
          await this.save();
        }
        if (last) return;
      }
    } finally {
      bar.stop();
    }
  }

  /** Writes the state to resume from, then the model for other commands. */
  async save(): Promise<void> {
    const trained = { params: this.model.params.named(), optimizer: this.#optimizer };
    const random = this.#random.state;
    await saveTrainer(this.#folder.statePath, trained, { step: this.#step, random });
    await saveModel(this.#folder.path, this.model);
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
