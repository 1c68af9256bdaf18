import { type ForwardContext, Random } from '@headwise/core';
import { compilePipelines } from '@headwise/kernels';
import { stackScalars } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';
import { clipping } from './clip.js';
import { accumulateGradients } from './gradients.js';
import type { ExampleBatch, Objective } from './objective.js';
import { RecordedGradients } from './recorded-gradients.js';
import { onlyComputes } from './tensor-loss.js';

/**
 * Compiles in parallel what the loss, the gradients and the norm of a first step need: they are recorded on a device that computes
 * nothing. The optimizer's update, one to three pipelines, changes what it is given and is left out.
 *
 * Never rejects: what cannot be compiled is compiled by its first use, which then reports the error.
 *
 * @param batches of the step
 */
export async function compileFirstStep<B extends ExampleBatch>(
  params: Readonly<Record<string, tf.Variable>>,
  objective: Objective<B>,
  batches: readonly B[],
  {
    lossScale,
    record,
    ...ctx
  }: Pick<ForwardContext, 'checkpoint' | 'precision'> & {
    lossScale: number;
    record: boolean;
  },
): Promise<void> {
  if (!onlyComputes(objective.tensorLoss)) return;
  try {
    await compilePipelines(() => {
      const recorded = record ? new RecordedGradients(params, objective, ctx) : undefined;
      try {
        const eager = { ...ctx, training: true, random: new Random(0) };
        // A second batch adds its gradients to those of the first.
        const some = batches.slice(0, 2);
        const { losses, gradients } = accumulateGradients(
          'train',
          params,
          objective,
          some,
          eager,
          lossScale,
          recorded,
        );
        const { norm } = clipping(gradients, 1, lossScale);
        stackScalars([norm, ...losses]);
      } finally {
        recorded?.dispose();
      }
    });
  } catch {}
}
