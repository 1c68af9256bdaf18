import * as tf from '@tensorflow/tfjs';
import type { TrainingSizes } from '../training/sizes.js';
import type { StockModel } from './model.js';
import { attention, causalBias, lookUp, product, rmsNorm } from './operations.js';
import { StockVariables } from './variables.js';

const epsilon = 1e-6;
const buckets = 32;

/** T5 (version 1.0: ReLU, tied embeddings) in stock TensorFlow.js; its targets are as long as its sources. */
export function stockT5({ dim, layers, heads, vocabulary, length }: TrainingSizes): StockModel {
  const variables = new StockVariables();
  const tokens = variables.matrix(vocabulary, dim);
  const scores = () => ({
    norm: variables.ones(dim),
    q: variables.matrix(dim, dim),
    k: variables.matrix(dim, dim),
    v: variables.matrix(dim, dim),
    out: variables.matrix(dim, dim),
  });
  const feedForward = () => ({
    norm: variables.ones(dim),
    up: variables.matrix(dim, 4 * dim),
    down: variables.matrix(4 * dim, dim),
  });
  const stack = (cross: boolean) => ({
    distances: variables.matrix(buckets, heads),
    blocks: Array.from({ length: layers }, () => ({
      self: scores(),
      ...(cross ? { cross: scores() } : {}),
      feedForward: feedForward(),
    })),
    norm: variables.ones(dim),
  });
  const [encoder, decoder] = [stack(false), stack(true)];

  /** @param source what the decoder's cross-attention reads */
  function run(
    ids: tf.Tensor2D,
    { distances, blocks, norm }: ReturnType<typeof stack>,
    source?: tf.Tensor2D,
  ): tf.Tensor2D {
    const batch = ids.shape[0];
    const buckets = bucketsOf(length, source === undefined);
    const byHead = lookUp(distances, tf.tensor1d(buckets, 'int32'))
      .reshape([length, length, heads])
      .transpose([2, 0, 1]);
    const bias = source ? byHead.add(causalBias(length)) : byHead;
    const attend = (
      x: tf.Tensor2D,
      { norm, q, k, v, out }: ReturnType<typeof scores>,
      other?: tf.Tensor2D,
    ) => {
      const normed = rmsNorm(x, norm, epsilon);
      const from = other ?? normed;
      const qkv = [product(normed, q), product(from, k), product(from, v)] as const;
      const options = { batch, heads, scale: 1, ...(other ? {} : { bias }) };
      return x.add<tf.Tensor2D>(product(attention(qkv, options), out));
    };
    let x = lookUp(tokens, ids);
    for (const { self, cross, feedForward } of blocks) {
      x = attend(x, self);
      if (cross) x = attend(x, cross, source);
      const hidden = tf.relu(product(rmsNorm(x, feedForward.norm, epsilon), feedForward.up));
      x = x.add(product(hidden, feedForward.down));
    }
    return rmsNorm(x, norm, epsilon);
  }

  return {
    variables,
    scores({ inputs, targets }) {
      const encoded = run(inputs, encoder);
      const rows = targets.reshape<tf.Tensor2D>([inputs.shape[0], length]);
      const start = tf.zeros([inputs.shape[0], 1], 'int32') as tf.Tensor2D;
      const read = tf.concat([start, rows.slice([0, 0], [-1, length - 1])], 1);
      const decoded = run(read, decoder, encoded);
      return product(decoded.mul(dim ** -0.5), tokens, true);
    },
  };
}

/** The bucket of each pair of a query and a key, `[T, T]`: exact near by, logarithmic up to a distance of 128. */
function bucketsOf(length: number, bothWays: boolean): Int32Array {
  const count = bothWays ? buckets / 2 : buckets;
  const exact = count / 2;
  const bucket = (distance: number) => {
    if (distance < exact) return distance;
    const scaled = Math.log(distance / exact) / Math.log(128 / exact);
    return Math.min(count - 1, exact + Math.floor(scaled * (count - exact)));
  };
  return Int32Array.from({ length: length * length }, (_, i) => {
    const back = Math.floor(i / length) - (i % length);
    if (!bothWays) return bucket(Math.max(back, 0));
    return bucket(Math.abs(back)) + (back < 0 ? count : 0);
  });
}
