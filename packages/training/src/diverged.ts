import { HeadwiseError, type Precision, readTensor } from '@headwise/core';
import { allFinite } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { AccumulatedGradients } from './gradients.js';
import { inExamples } from './gradients.js';
import type { ExampleBatch } from './objective.js';

/** Where a training run left the finite numbers. */
export interface Divergence {
  /** Counted from 0. */
  step?: number | undefined;
  /** The examples of the batches whose loss is not finite; of all batches of the step where each loss is. */
  examples?: readonly number[] | undefined;
  /** The first parameter that is not finite, or else the first whose gradient is not. */
  parameter?: string | undefined;
}

/** The loss or the gradients are not finite; the parameters are those of the step before. */
export class DivergedError extends HeadwiseError implements Divergence {
  override readonly name = 'DivergedError';
  readonly step: number | undefined;
  readonly examples: readonly number[] | undefined;
  readonly parameter: string | undefined;

  constructor(message: string, { step, examples, parameter }: Divergence = {}) {
    super(message);
    this.step = step;
    this.examples = examples;
    this.parameter = parameter;
  }
}

/**
 * The error of a step whose loss or gradients are not finite, with where that began.
 *
 * @param losses as read, one for each of `made.batches`
 */
export async function divergence(
  { step, precision }: { step: number; precision: Precision | undefined },
  params: Readonly<Record<string, tf.Variable>>,
  made: AccumulatedGradients<ExampleBatch>,
  losses: readonly number[],
  norm: number,
): Promise<DivergedError> {
  const spoilt = made.batches.filter((_, i) => !Number.isFinite(losses[i]));
  const batches = spoilt.length > 0 ? spoilt : made.batches;
  const loss = losses.reduce((sum, value) => sum + value, 0);
  const parameter = await firstNotFinite(params);
  const gradient = parameter ?? (await firstNotFinite(made.gradients));
  const where = parameter
    ? `; parameter '${parameter}' is not finite`
    : gradient && `; the gradient of '${gradient}' is not finite`;
  const advice =
    precision === 'mixed' && !Number.isFinite(loss)
      ? 'lower the learning rate, or train in float32: in mixed precision inputs of linear maps from 65,520 on are infinite'
      : 'lower the learning rate';
  return new DivergedError(
    `training diverged at step ${step}${inExamples(batches)}: loss ${loss}, gradient norm ${norm}${where ?? ''}; ${advice}`,
    { step, examples: batches.flatMap(({ examples }) => examples ?? []), parameter: gradient },
  );
}

/** The path of the first tensor with a value that is NaN or infinite. */
async function firstNotFinite(
  tensors: Readonly<Record<string, tf.Tensor>>,
): Promise<string | undefined> {
  for (const [path, tensor] of Object.entries(tensors)) {
    if (!allFinite((await readTensor(tensor)) as Float32Array)) return path;
  }
  return undefined;
}
