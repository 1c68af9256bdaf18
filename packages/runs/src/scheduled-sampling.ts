import {
  exponentialShare,
  inverseSigmoidShare,
  linearShare,
  type SampledShare,
} from '@headwise/training';
import { z } from 'zod';

/** How the share of a decoder's inputs that are its own predictions changes over the steps of a run. */
export type ScheduledSampling =
  | {
      schedule: 'linear';
      /** At the first step. */
      from: number;
      /** After `steps`, and from then on. */
      to: number;
      /** Absent: those of the run. */
      steps?: number | undefined;
    }
  | {
      /** `to (1 − k^step)`, or `to (1 − k / (k + e^(step / k)))`. */
      schedule: 'exponential' | 'inverse-sigmoid';
      k: number;
      /** What the share comes close to. */
      to: number;
    };

const share = z.number().min(0).max(1);

/** The form of `training.scheduledSampling`. */
export const scheduledSamplingSchema: z.ZodType<ScheduledSampling> = z.discriminatedUnion(
  'schedule',
  [
    z.strictObject({
      schedule: z.literal('linear'),
      from: share.default(0),
      to: share,
      steps: z.number().int().min(1).optional(),
    }),
    z.strictObject({
      schedule: z.literal('exponential'),
      k: z.number().gt(0).lt(1),
      to: share.default(1),
    }),
    z.strictObject({
      schedule: z.literal('inverse-sigmoid'),
      k: z.number().min(1),
      to: share.default(1),
    }),
  ],
);

/**
 * The share of a step; 0 at every step without scheduled sampling.
 *
 * @param steps of the run
 */
export function sampledShare(settings: ScheduledSampling | undefined, steps: number): SampledShare {
  if (!settings) return () => 0;
  if (settings.schedule === 'linear') {
    const { from, to } = settings;
    return linearShare({ from, to, steps: settings.steps ?? steps });
  }
  const { k, to } = settings;
  return settings.schedule === 'exponential'
    ? exponentialShare({ k, to })
    : inverseSigmoidShare({ k, to });
}

/** Whether any step has a share. */
export const samplesInputs = (settings: ScheduledSampling | undefined): boolean =>
  settings !== undefined && (settings.to > 0 || ('from' in settings && settings.from > 0));
