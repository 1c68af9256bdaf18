import {
  type ForwardContext,
  InputError,
  type Precision,
  Random,
  readTensor,
} from '@headwise/core';
import { nextTask } from '@headwise/core/internal';
import { checkPrecision, stackScalars } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { clipping } from './clip.js';
import { compileFirstStep } from './compile-ahead.js';
import { divergence } from './diverged.js';
import type { Ema } from './ema.js';
import { accumulateGradients } from './gradients.js';
import { LossScale } from './loss-scale.js';
import type { ExampleBatch, Objective } from './objective.js';
import type { Optimizer } from './optimizer.js';
import { RecordedGradients } from './recorded-gradients.js';
import type { Schedule } from './schedule.js';
import { checkTrainable } from './trainable.js';

export interface TrainOptions<B extends ExampleBatch> {
  /** What to train for, such as `causalLanguageModel(network)`. */
  objective: Objective<B>;
  /** The parameters to train, by path. */
  params: Readonly<Record<string, tf.Variable>>;
  optimizer: Optimizer;
  schedule: Schedule;
  /**
   * The batches by their number, from 0 on: a resumed run sees what it would have seen. One that depends on the model, such as the
   * completions that it writes, is made when its step begins.
   */
  batches: { at(number: number): NoInfer<B> | Promise<NoInfer<B>> };
  /** Steps in all. */
  steps: number;
  /** The first step to make; default 0. */
  start?: number | undefined;
  /** Gradients are scaled down to this norm; default 1. */
  maxNorm?: number | undefined;
  /**
   * Batches of one step; default 1. Step `s` reads the batches `s · accumulate` to `(s + 1) · accumulate − 1` and makes the
   * update of one batch of all their rows, whatever each of them predicts, in the memory of one.
   */
  accumulate?: number | undefined;
  /**
   * Computes each block again in the backward pass: activations take the memory of one block and of what is between
   * blocks, for about a fifth more time. Default false.
   */
  checkpoint?: boolean | undefined;
  /**
   * What linear maps compute in; default `float32`. `mixed` rounds what they multiply, and what they keep for the backward pass, to
   * float16; sums, parameters, norms, attention and losses are float32. It needs WebGPU with the feature `shader-f16`.
   */
  precision?: Precision | undefined;
  /**
   * On WebGPU, records the forward and the backward pass, and replays them for batches of the same shapes, where they can be:
   * the objective has a `tensorLoss`, and nothing draws random numbers. A recording holds the constants of its step until the training ends
   * or its generator returns; other memory is free between two steps. Up to four shapes are kept; 16 batches in a row of other shapes end
   * the recording. Default: objectives of this package are recorded. `true` records a `tensorLoss` of your own too, whose changing numbers have
   * to be arrays of it; a replay takes all others as they were.
   */
  record?: boolean | undefined;
  /** An average of the parameters, updated after each step. */
  ema?: Ema | undefined;
  /**
   * Multiplies the loss, so that small gradients stay within the range of float16; its state is to be saved with the run. A step whose
   * gradients are not finite while the loss is, is skipped: neither the parameters nor the optimizer nor `ema` change, and the
   * scale is lowered. Default: the loss as it is, and in mixed precision a `new LossScale()`.
   */
  lossScale?: LossScale | undefined;
  /**
   * Where dropout draws from, whose state is to be saved with the run; default a generator of its own for each step,
   * seeded by the step's number, so that a resumed run drops what it would have dropped.
   */
  random?: Random | undefined;
}

/** The loss and the statistics of one training step. */
export interface TrainStep {
  /** Counted from 0. */
  step: number;
  /** The mean over what is predicted, before the update; of several terms the sum of their means. */
  loss: number;
  /** Of all gradients together, before clipping and without the loss scale; absent where the step was skipped. */
  gradientNorm?: number | undefined;
  learningRate: number;
  /** What the loss is the mean of: tokens, sequences or pairs; of several terms that of the first. */
  predicted: number;
  /** What the batches say of themselves, the mean over them; absent where they say nothing. */
  measures?: Readonly<Record<string, number>> | undefined;
  /** What the loss was multiplied by; absent without a loss scale. */
  lossScale?: number | undefined;
  /** The scaled gradients were not finite, so that nothing was updated; absent elsewhere. */
  skipped?: true | undefined;
  /** Why the step was not recorded; absent where it was, and where none is: without `record`, and on other backends than WebGPU. */
  unrecorded?: string | undefined;
  /** Wall time. */
  ms: number;
}

/**
 * Trains a model for an objective; yields after every step.
 *
 * Between two yields the parameters and the optimizer agree: that is when to save.
 *
 * @throws DivergedError before an update that would make the parameters NaN, naming the examples and the first parameter
 * concerned, with a loss scale only where the loss is not finite, or the gradients are not at a scale of 1 or less or after 32 steps
 * skipped in a row; DeviceLostError; BackendError where the backend does not compute in the precision; InputError where a part of the
 * model is packed, a parameter is frozen, an option or a learning rate is outside its range, an id or a label of a batch is outside its
 * own, the batches of a step have nothing to predict, or a step takes other numbers from JavaScript than the steps before it that were replayed
 * @example
 * const objective = causalLanguageModel(network);
 * for await (const { step, loss } of train({ objective, params, optimizer, schedule, batches, steps: 100 })) {
 *   console.log(step, loss);
 * }
 */
export async function* train<B extends ExampleBatch>(
  options: TrainOptions<B>,
): AsyncGenerator<TrainStep> {
  const { objective, params, steps, checkpoint, precision, record } = options;
  const { start = 0, maxNorm = 1, accumulate = 1 } = options;
  const { lossScale = precision === 'mixed' ? new LossScale() : undefined } = options;
  checkTrainable('train', params);
  checkPrecision('train', precision);
  checkSteps({ steps, start });
  if (!(maxNorm > 0)) throw new InputError(`train: maxNorm is ${maxNorm}; expected above 0`);
  if (!Number.isSafeInteger(accumulate) || accumulate < 1) {
    throw new InputError(
      `train: accumulate is ${accumulate}; expected a whole number of at least 1`,
    );
  }
  const recorded =
    record !== false && tf.getBackend() === 'webgpu'
      ? new RecordedGradients(params, objective, { checkpoint, precision, custom: record })
      : undefined;
  try {
    yield* stepsOf({ ...options, lossScale }, recorded);
  } finally {
    recorded?.dispose();
  }
}

async function* stepsOf<B extends ExampleBatch>(
  options: TrainOptions<B>,
  recorded: RecordedGradients<B> | undefined,
): AsyncGenerator<TrainStep> {
  const { objective, params, optimizer, schedule, batches, steps, precision, lossScale } = options;
  const { start = 0, maxNorm = 1, accumulate = 1 } = options;
  for (let step = start; step < steps; step++) {
    const begun = performance.now();
    const given: B[] = [];
    for (let i = 0; i < accumulate; i++) given.push(await batches.at(step * accumulate + i));
    const ctx: ForwardContext = {
      training: true,
      checkpoint: options.checkpoint,
      precision,
      random: options.random ?? new Random(step),
    };
    const scaledBy = lossScale?.value ?? 1;
    if (step === start) {
      const { checkpoint } = options;
      const how = { checkpoint, precision, lossScale: scaledBy, record: recorded !== undefined };
      await compileFirstStep(params, objective, given, how);
    }
    const made = accumulateGradients(
      `train: step ${step}`,
      params,
      objective,
      given,
      ctx,
      scaledBy,
      recorded,
    );
    const { norm, scale } = clipping(made.gradients, maxNorm, scaledBy);
    const read = stackScalars([norm, ...made.losses]);
    let report: TrainStep;
    try {
      const [gradientNorm, ...losses] = await readTensor(read);
      const loss = losses.reduce((sum, value) => sum + value, 0);
      const finite = Number.isFinite(gradientNorm);
      if (!Number.isFinite(loss) || !(finite || lossScale?.exhausted === false)) {
        throw await divergence({ step, precision }, params, made, losses, gradientNorm!);
      }
      const learningRate = schedule(step);
      if (finite) {
        optimizer.update(made.gradients, learningRate, scale);
        options.ema?.update();
      }
      lossScale?.update(finite);
      report = {
        step,
        loss,
        ...(finite && { gradientNorm }),
        learningRate,
        predicted: made.predicted,
        ...(lossScale && { lossScale: scaledBy }),
        ...(finite ? {} : { skipped: true }),
        ...meanMeasures(made.batches),
        ...(recorded?.reason === undefined ? {} : { unrecorded: recorded.reason }),
        ms: performance.now() - begun,
      };
    } finally {
      tf.dispose([made.losses, made.gradients, norm, scale, read]);
    }
    // No tensor is held here but those of the recording, so leaving the loop leaks nothing.
    yield report;
    await nextTask();
  }
}

function checkSteps(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isSafeInteger(count) && count >= 0) continue;
    throw new InputError(`train: ${name} is ${count}; expected a whole number of at least 0`);
  }
}

/** The mean of each measure over the batches that have it. */
function meanMeasures(batches: readonly ExampleBatch[]): Pick<TrainStep, 'measures'> {
  const all = new Map<string, number[]>();
  for (const [name, value] of batches.flatMap(({ measures = {} }) => Object.entries(measures))) {
    all.set(name, [...(all.get(name) ?? []), value]);
  }
  if (all.size === 0) return {};
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    measures: Object.fromEntries([...all].map(([name, values]) => [name, mean(values)])),
  };
}
