import * as tf from '@tensorflow/tfjs';
import type { RotaryLayout } from './tables.js';

/** Rotary embedding in plain operations: the specification. */
export function rotaryReference(
  x: tf.Tensor,
  cos: tf.Tensor,
  sin: tf.Tensor,
  layout: RotaryLayout,
): tf.Tensor {
  if (cos.rank === 3) {
    return tf.tidy(() => {
      const [coses, sines] = [cos.unstack(), sin.unstack()];
      const turned = x
        .unstack()
        .map((one, b) => rotaryReference(one, coses[b]!, sines[b]!, layout));
      return tf.stack(turned);
    });
  }
  return tf.tidy(() => {
    const pairs = cos.shape[1]!;
    const width = x.shape.at(-1)!;
    const leading = x.shape.slice(0, -1);
    const [turned, rest] = tf.split(x, [2 * pairs, width - 2 * pairs], -1);
    // Both layouts as [..., 2, pairs] or [..., pairs, 2], the pair's members along `axis`.
    const split = layout === 'half-split' ? [2, pairs] : [pairs, 2];
    const axis = layout === 'half-split' ? -2 : -1;
    const [a, b] = tf.split(turned!.reshape([...leading, ...split]), 2, axis);
    const table = (t: tf.Tensor) => t.expandDims(axis);
    const [c, s] = [table(cos), table(sin)];
    const y = tf.concat([a!.mul(c).sub(b!.mul(s)), b!.mul(c).add(a!.mul(s))], axis);
    return tf.concat([y.reshape([...leading, 2 * pairs]), rest!], -1);
  });
}
