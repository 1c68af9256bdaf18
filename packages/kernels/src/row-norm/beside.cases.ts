import { expectClose, expectNoLeak, outputAndGradients, poisonMemory } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';

type OfTensors = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Rows and widths; beyond 4,096 rows the parameters' gradients take a second pass. */
export const besideShapes = [
  [1, 1],
  [67, 3],
  [5, 65],
  [63, 513],
  [4097, 5],
] as const;

/** Both results side by side, so that one cotangent reaches both. */
export const both = ({ sum, y }: { sum: tf.Tensor; y: tf.Tensor }): tf.Tensor =>
  tf.concat([sum, y], -1);

/**
 * Checks `x` and its norm side by side against the reference, with every gradient, the same bits twice, in poisoned memory and without a leak.
 *
 * @param inputs x `[rows, width]`, then the norm's parameters
 */
export async function expectBeside(
  beside: OfTensors,
  reference: OfTensors,
  inputs: readonly tf.Tensor[],
): Promise<void> {
  const [rows, width] = inputs[0]!.shape as [number, number];
  const expected = outputAndGradients(reference, [...inputs]);
  await poisonMemory([[rows, width], [rows, 2], [rows], [width], [2, width]]);
  const run = () => outputAndGradients(beside, [...inputs]);
  const [actual, again] = [run(), run()];
  await expectClose(actual.output, expected.output);
  const floor = width === 1 ? 1e-4 : 1e-6;
  for (const [i, gradient] of actual.gradients.entries()) {
    await expectClose(gradient, expected.gradients[i]!, { ratio: 2e-5, floor });
    expect(await gradient.data()).toEqual(await again.gradients[i]!.data());
  }
  await expectNoLeak(() => {
    const { output, gradients } = run();
    tf.dispose([output, gradients]);
  });
}
