import * as tf from '@tensorflow/tfjs';
import { gatherRowsPlain } from '../embedding/plain.js';
import type { Routing } from './routing.js';

/** `expertLinear` in plain operations, for backends that keep values where they can be read at once. */
export function expertLinearPlain(
  x: tf.Tensor2D,
  weight: tf.Tensor2D,
  { order, offsets, experts, choices }: Routing,
  ofTokens: boolean,
): tf.Tensor2D {
  const ends = offsets.dataSync() as Int32Array;
  const share = choices.shape[1];
  const rows = ofTokens ? gatherRowsPlain(x, tf.floorDiv(order, tf.scalar(share, 'int32'))) : x;
  const [out, inner] = [weight.shape[0] / experts, weight.shape[1]];
  const used = Array.from({ length: experts }, (_, e) => e).filter((e) => ends[e + 1]! > ends[e]!);
  const part = (of: tf.Tensor2D, e: number) =>
    of.slice<tf.Tensor2D>([ends[e]!, 0], [ends[e + 1]! - ends[e]!, of.shape[1]]);
  const own = (of: tf.Tensor2D, e: number) => of.slice<tf.Tensor2D>([e * out, 0], [out, inner]);
  // A gradient of its own: that of a slice would be as large as the weights of all experts.
  const product = tf.customGrad((given, values, save) => {
    const [a, w] = [given as tf.Tensor2D, values as tf.Tensor2D];
    (save as tf.GradSaveFunc)([a, w]);
    const value = tf.concat(used.map((e) => tf.matMul(part(a, e), own(w, e), false, true)));
    return {
      value,
      gradFunc: (dy, saved) => {
        const [a, w] = saved as [tf.Tensor2D, tf.Tensor2D];
        const d = dy as tf.Tensor2D;
        return [
          tf.concat(used.map((e) => tf.matMul(part(d, e), own(w, e)))),
          tf.concat(
            Array.from({ length: experts }, (_, e) =>
              used.includes(e)
                ? tf.matMul(part(d, e), part(a, e), true)
                : tf.zeros<tf.Rank.R2>([out, inner]),
            ),
          ),
        ];
      },
    };
  });
  return product(rows, weight) as tf.Tensor2D;
}

/** `sumOfExperts` in plain operations. */
export function sumOfExpertsPlain(pairs: tf.Tensor2D, { places, choices }: Routing): tf.Tensor2D {
  const [tokens, share] = choices.shape;
  return gatherRowsPlain(pairs, places).reshape([tokens, share, -1]).sum(1);
}
