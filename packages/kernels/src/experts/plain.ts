import * as tf from '@tensorflow/tfjs';
import { gatherRowsPlain } from '../embedding/plain.js';
import { columnParts, mostValues, unpackColumns } from '../packed-linear/columns.js';
import type { PackedWeight } from '../packed-linear/pack.js';
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

/**
 * `expertLinearPlain` of a packed weight: of the experts that have rows, some columns are unpacked at a time, so that nothing as large as the
 * weights of all experts is made.
 *
 * @param most values that are unpacked at a time
 */
export function expertLinearPacked(
  x: tf.Tensor2D,
  weight: PackedWeight,
  { order, offsets, experts, choices }: Routing,
  ofTokens: boolean,
  most: number = mostValues,
): tf.Tensor2D {
  const ends = offsets.dataSync() as Int32Array;
  const share = choices.shape[1];
  const rows = ofTokens ? gatherRowsPlain(x, tf.floorDiv(order, tf.scalar(share, 'int32'))) : x;
  const out = weight.out / experts;
  const used = Array.from({ length: experts }, (_, e) => e).filter((e) => ends[e + 1]! > ends[e]!);
  const rowsOf = (of: tf.Tensor2D, e: number, first = 0, count = of.shape[1]) =>
    of.slice<tf.Tensor2D>([ends[e]!, first], [ends[e + 1]! - ends[e]!, count]);
  /** What the columns of an expert give, part by part. */
  const eachPart = (
    e: number,
    give: (values: tf.Tensor2D, first: number, count: number) => tf.Tensor2D,
  ) =>
    columnParts(weight, { first: e * out, count: out }, most).map(({ first, count }) =>
      tf.tidy(() => give(unpackColumns(weight, first, count), first - e * out, count)),
    );
  const product = tf.customGrad((given) => {
    const a = given as tf.Tensor2D;
    const value = tf.concat(
      used.map((e) =>
        tf.concat(
          eachPart(e, (values) => tf.matMul(rowsOf(a, e), values)),
          1,
        ),
      ),
    );
    const gradFunc = (dy: tf.Tensor) =>
      tf.concat(
        used.map((e) =>
          tf.addN(
            eachPart(e, (values, first, count) =>
              tf.matMul(rowsOf(dy as tf.Tensor2D, e, first, count), values, false, true),
            ),
          ),
        ),
      );
    return { value, gradFunc };
  });
  return product(rows) as tf.Tensor2D;
}

/** `sumOfExperts` in plain operations. */
export function sumOfExpertsPlain(pairs: tf.Tensor2D, { places, choices }: Routing): tf.Tensor2D {
  const [tokens, share] = choices.shape;
  return gatherRowsPlain(pairs, places).reshape([tokens, share, -1]).sum(1);
}
