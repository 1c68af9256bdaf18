import {
  type ForwardContext,
  InputError,
  type Network,
  type ParamStore,
  type Precision,
  Random,
} from '@headwise/core';
import type { BufferCount } from '@headwise/core/internal';
import { PackedWeight } from '@headwise/kernels';
import { planned } from '@headwise/kernels/internal';
import { AdaptedModel, Lora, type LoraOptions, type WeightOptions } from '@headwise/models';
import { modelParts, plannedModel } from '@headwise/models/internal';
import * as tf from '@tensorflow/tfjs';
import { AdamW } from './adamw.js';
import { clipping } from './clip.js';
import { Ema } from './ema.js';
import { freeze, type PathChoice } from './freeze.js';
import { accumulateGradients } from './gradients.js';
import { LossScale } from './loss-scale.js';
import { termsOf } from './loss-terms.js';
import type { ExampleBatch } from './objective.js';
import type { Optimizer } from './optimizer.js';
import { defaultObjective, type PlannedBatch, type PlannedObjective } from './planned-objective.js';
import { RecordedGradients } from './recorded-gradients.js';
import type { Trained } from './state.js';
import { isOwnLoss } from './tensor-loss.js';

export interface PlanOptions<N extends Network = Network> extends WeightOptions {
  /** Default AdamW. */
  optimizer?: ((params: Readonly<Record<string, tf.Variable>>) => Optimizer) | undefined;
  /**
   * What is trained for; default causal language modeling, sequence-to-sequence, or the cross-entropy of an encoder's head,
   * with every position predicted.
   */
  objective?: ((network: N, batch: PlannedBatch) => PlannedObjective) | undefined;
  /** As in `train`. */
  checkpoint?: boolean | undefined;
  /** As in `train`. */
  precision?: Precision | undefined;
  /** Batches of one step; default 1. */
  accumulate?: number | undefined;
  /** As in `train` on WebGPU: whether the step is recorded where it can be. Default: that of an objective of this package is. */
  record?: boolean | undefined;
  /** Trains low-rank updates instead of the model, whose weights then may be packed by `dtype`. */
  lora?: LoraOptions | undefined;
  /** Which parameters are frozen, as `freeze` takes them; default none. */
  freeze?: PathChoice | undefined;
  /** Whether an average of the trained parameters is kept, as `Ema` does; default false. */
  ema?: boolean | undefined;
  /** Take the place of the device's limits, such as `maxBufferSize`, in WebGPU's names. */
  limits?: Readonly<Record<string, number>> | undefined;
}

/** Where a step uses the most memory. */
export type StepPhase = 'forward' | 'backward' | 'update';

/** The memory of GPU buffers that training takes, in bytes. */
export interface MemoryPlan {
  /** The most at any moment of a step. */
  readonly peak: number;
  /** The phase of the step that has the peak. */
  readonly during: StepPhase;
  /** Parameters, frozen ones and adapters included. */
  readonly weights: number;
  /** Gradients of the parameters that are trained. */
  readonly gradients: number;
  /** What the optimizer keeps from step to step. */
  readonly optimizer: number;
  /** The average of the parameters. */
  readonly averages: number;
  /** What the forward pass of one batch keeps for the backward pass. */
  readonly activations: number;
  /** The most in scores of the vocabulary at once. */
  readonly logits: number;
}

/**
 * Predicts the memory of GPU buffers that training a model takes, before anything is allocated.
 *
 * Two steps of the real training run on a WebGPU backend whose device computes nothing and has no memory. So the plan
 * covers every family, objective and optimizer, and parts of one's own; it takes as long as the JavaScript of two steps.
 * It needs no GPU, but WebGPU's constants: in Node the package `webgpu`.
 *
 * @param configuration as `createModel` takes it
 * @throws InputError for a configuration or options that cannot be trained; ShapeError naming the first tensor that is
 * larger than the device allows; BackendError where WebGPU's constants are missing, or the device that was started has no
 * `shader-f16` for mixed precision
 * @example
 * const { peak } = await planMemory({ model_type: 'gpt2' }, { rows: 8, tokens: 512 });
 * console.log(`${(peak / 1e9).toFixed(1)} GB`);
 */
export async function planMemory(
  configuration: unknown,
  batch: PlannedBatch,
  options: PlanOptions = {},
): Promise<MemoryPlan> {
  checkSizes({ ...batch, accumulate: options.accumulate ?? 1 });
  const { vocabSize } = modelParts(configuration);
  return planned((count) => planOf(count, configuration, batch, options), {
    limits: options.limits,
    watch: vocabSize,
  });
}

/** Steps of a plan: some buffers are made by the first one for all. */
const plannedSteps = 2;
/** Batches of the last planned step at most: later ones move the peak by some hundredths, as commands are submitted elsewhere. */
const plannedBatches = 3;

function planOf(
  count: BufferCount,
  configuration: unknown,
  batch: PlannedBatch,
  options: PlanOptions,
): MemoryPlan {
  const made: { dispose(): void }[] = [];
  try {
    const model = plannedModel(configuration, options);
    made.push(model.params);
    const lora = options.lora && new Lora(model.params, options.lora);
    if (lora) made.push(lora.params);
    const network = lora ? new AdaptedModel(model.network, lora) : model.network;
    // The record of a store itself tells what is packed beside it.
    const named = (lora ?? model).params.named();
    const params = options.freeze ? freeze(named, options.freeze) : named;
    for (const { params: store } of lora ? [model, lora] : [model]) count.send(tensorsOf(store));
    count.settle();
    const weights = count.used;
    const optimizer = options.optimizer?.(params) ?? new AdamW(params);
    made.push(optimizer);
    const ema = options.ema ? new Ema(params) : undefined;
    if (ema) made.push(ema);
    const planned =
      options.objective?.(network, batch) ?? defaultObjective(network, batch, configuration);
    const steps = stepsOf(count, params, { ...planned, optimizer, ema }, options);
    count.settle();
    const gradients = Object.values(params).reduce((sum, { size }) => sum + 4 * size, 0);
    const averages = ema ? gradients : 0;
    return {
      ...steps,
      weights,
      gradients,
      averages,
      optimizer: count.used - weights - averages,
      logits: count.watchedPeak,
    };
  } finally {
    for (const part of made) part.dispose();
  }
}

/** What steps take at their peak, and what a forward pass keeps. */
function stepsOf(
  count: BufferCount,
  params: Readonly<Record<string, tf.Variable>>,
  { objective, batch, optimizer, ema }: PlannedObjective & Pick<Trained, 'optimizer' | 'ema'>,
  { accumulate = 1, checkpoint, precision, record }: PlanOptions,
): Pick<MemoryPlan, 'peak' | 'during' | 'activations'> {
  let phases = { forward: 0, backward: 0, update: 0 };
  const end = (phase: StepPhase) => {
    phases[phase] = Math.max(phases[phase], count.peak);
    count.restart();
  };
  let activations = 0;
  const terms = termsOf(objective);
  const watched: typeof objective = {
    ...objective,
    terms: {
      ...terms,
      means: (given, ctx) => {
        end('backward');
        const before = count.live;
        const means = terms.means(given, ctx);
        activations = Math.max(activations, count.live - before);
        end('forward');
        return means;
      },
    },
    tensorLoss: objective.tensorLoss && {
      ...objective.tensorLoss,
      loss: (tensors, ctx) => {
        end('backward');
        const loss = objective.tensorLoss!.loss(tensors, ctx);
        end('forward');
        return loss;
      },
    },
  };
  const batches = Array<ExampleBatch>(Math.min(accumulate, plannedBatches)).fill(batch);
  const ctx: ForwardContext = { training: true, checkpoint, precision, random: new Random(0) };
  // Scaling a loss is an operation too.
  const lossScale = precision === 'mixed' ? new LossScale().value : 1;
  // A step that is not recorded comes first: a recording keeps what the forward pass lets go of, which are not activations.
  const eager = Array<undefined>(plannedSteps - 1).fill(undefined);
  // Terms of the objective itself, where it has some: those above only watch its loss.
  const own = { ...watched, terms: objective.terms };
  const { tensorLoss } = objective;
  const isRecorded = record ?? (!tensorLoss || isOwnLoss(tensorLoss));
  const recordings = isRecorded
    ? [new RecordedGradients(params, own, { checkpoint, precision, custom: true })]
    : [];
  for (const [step, recorded] of [...eager, ...recordings, undefined].entries()) {
    const last = step >= plannedSteps - 1;
    const before = phases;
    if (recorded) phases = { forward: 0, backward: 0, update: 0 };
    const made = accumulateGradients(
      'planMemory',
      params,
      watched,
      last ? batches : batches.slice(0, 1),
      ctx,
      lossScale,
      recorded,
    );
    const { gradients, losses } = made;
    end('backward');
    const { norm, scale } = clipping(gradients, 1, lossScale);
    const read = tf.stack([norm, ...losses]);
    // As where `train` reads the loss: commands are submitted, and what only they used is free.
    count.settle();
    optimizer.update(gradients, 1, scale);
    ema?.update();
    end('update');
    tf.dispose([losses, gradients, norm, scale, read]);
    if (!recorded) continue;
    recorded.dispose();
    if (recorded.reason === undefined) break;
    phases = before;
  }
  const ordered = (Object.keys(phases) as StepPhase[]).sort((a, b) => phases[b] - phases[a]);
  return { peak: phases[ordered[0]!], during: ordered[0]!, activations };
}

/** The tensors of a store, packed or not. */
function tensorsOf(params: ParamStore): tf.TensorInfo[] {
  const packed = Object.values(params.matrices()).flatMap(({ packed: weight }) =>
    weight instanceof PackedWeight ? [weight.words, ...(weight.scales ? [weight.scales] : [])] : [],
  );
  return [...Object.values(params.named()), ...packed];
}

function checkSizes(sizes: object): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (size === undefined || (Number.isSafeInteger(size) && size >= 1)) continue;
    throw new InputError(`planMemory: ${name} is ${size}; expected a whole number of at least 1`);
  }
}
