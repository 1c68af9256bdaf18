import * as tf from '@tensorflow/tfjs';
import { hasKernel, runKernel } from '../dispatch/register.js';
import type { PackedWeight } from './pack.js';
import { unpackWeightReference } from './reference.js';

/** The values of a packed weight: `[In, Out]`, float32. */
export function unpackWeight(weight: PackedWeight): tf.Tensor2D {
  if (!hasKernel('headwise/UnpackWeight')) return unpackWeightReference(weight);
  const { words, scales, format, group } = weight;
  return tf.tidy(
    () =>
      runKernel(
        'headwise/UnpackWeight',
        { words, ...(scales ? { scales } : {}) },
        { format, group, in: weight.in, out: weight.out },
      )[0] as tf.Tensor2D,
  );
}
