import { InputError, readTensor } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';

/**
 * A processor of one's own: a function of the model's scores, before all other processors.
 *
 * `device` is a function of the scores alone, in operations of TensorFlow.js. Where the model's step is fused they are recorded
 * with it: a token costs their dispatches, and nothing is read. `host` changes the scores in place and sees the sequence: a
 * token costs reading and uploading `4 V` bytes, and tokens no longer run ahead.
 */
export type LogitsProcessor =
  | {
      /** @param scores `[1, V]` @returns `[1, V]` */
      readonly device: (scores: tf.Tensor2D) => tf.Tensor2D;
    }
  | {
      /** @param scores `[V]`, to be changed in place @param sequence prompt and new tokens */
      readonly host: (scores: Float32Array, sequence: readonly number[]) => void;
    };

/** Whether all are functions on the device, which can be recorded. */
export function areRecordable(processors: readonly LogitsProcessor[]): boolean {
  return processors.every((processor) => 'device' in processor);
}

/**
 * Runs device processors, within a tidy.
 *
 * @throws InputError where one returns another shape
 */
export function runOnDevice(
  processors: readonly LogitsProcessor[],
  scores: tf.Tensor2D,
): tf.Tensor2D {
  return processors.reduce((before, processor) => {
    if (!('device' in processor)) return before;
    const after = processor.device(before);
    if (after.shape.join() === before.shape.join()) return after;
    throw new InputError(
      `processors: a device processor returned shape [${after.shape.join(', ')}]; expected [${before.shape.join(', ')}]`,
    );
  }, scores);
}

/**
 * Runs processors in order, reading the scores for those on the host.
 *
 * @param scores `[1, V]`, not disposed
 * @returns `[1, V]`, the caller's
 */
export async function runInOrder(
  processors: readonly LogitsProcessor[],
  scores: tf.Tensor2D,
  sequence: readonly number[],
): Promise<tf.Tensor2D> {
  let now = scores.clone();
  try {
    for (const processor of processors) {
      const next = await after(processor, now, sequence);
      now.dispose();
      now = next;
    }
    return now;
  } catch (error) {
    now.dispose();
    throw error;
  }
}

/** The scores after one processor, the caller's. */
async function after(
  processor: LogitsProcessor,
  scores: tf.Tensor2D,
  sequence: readonly number[],
): Promise<tf.Tensor2D> {
  if ('device' in processor) return tf.tidy(() => runOnDevice([processor], scores).clone());
  const values = Float32Array.from(await readTensor(scores));
  processor.host(values, sequence);
  return tf.tensor2d(values, scores.shape);
}
