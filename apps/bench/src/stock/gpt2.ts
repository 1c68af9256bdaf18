import * as tf from '@tensorflow/tfjs';
import type { TrainingSizes } from '../training/sizes.js';
import type { StockModel } from './model.js';
import {
  affine,
  attention,
  causalBias,
  layerNorm,
  lookUp,
  product,
  tanhGelu,
} from './operations.js';
import { StockVariables } from './variables.js';

/** GPT-2 as one writes it in TensorFlow.js without any package of ours. */
export function stockGpt2({ dim, layers, heads, vocabulary, length }: TrainingSizes): StockModel {
  const variables = new StockVariables();
  const tokens = variables.matrix(vocabulary, dim);
  const positions = variables.matrix(length, dim);
  const blocks = Array.from({ length: layers }, () => ({
    norm1: variables.norm(dim),
    qkv: variables.affine(dim, 3 * dim),
    out: variables.affine(dim, dim),
    norm2: variables.norm(dim),
    up: variables.affine(dim, 4 * dim),
    down: variables.affine(4 * dim, dim),
  }));
  const norm = variables.norm(dim);
  return {
    variables,
    scores({ inputs }) {
      const batch = inputs.shape[0];
      const bias = causalBias(length);
      let x = lookUp(tokens, inputs)
        .reshape([batch, length, dim])
        .add(positions)
        .reshape<tf.Tensor2D>([batch * length, dim]);
      for (const block of blocks) {
        const parts = tf.split(affine(layerNorm(x, block.norm1, 1e-5), block.qkv), 3, 1);
        const [q, k, v] = parts as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const scale = 1 / Math.sqrt(dim / heads);
        const mixed = attention([q, k, v], { batch, heads, scale, bias });
        x = x.add(affine(mixed, block.out));
        const hidden = tanhGelu(affine(layerNorm(x, block.norm2, 1e-5), block.up));
        x = x.add(affine(hidden, block.down));
      }
      return product(layerNorm(x, norm, 1e-5), tokens, true);
    },
  };
}
