import type * as tf from '@tensorflow/tfjs';
import type { TrainingSizes } from '../training/sizes.js';
import type { StockModel } from './model.js';
import { affine, attention, gelu, layerNorm, lookUp, product } from './operations.js';
import { StockVariables } from './variables.js';

const epsilon = 1e-12;

/** BERT with its head for masked tokens, in stock TensorFlow.js. */
export function stockBert({ dim, layers, heads, vocabulary, length }: TrainingSizes): StockModel {
  const variables = new StockVariables();
  const tokens = variables.matrix(vocabulary, dim);
  const positions = variables.matrix(length, dim);
  const types = variables.matrix(2, dim);
  const embedded = variables.norm(dim);
  const blocks = Array.from({ length: layers }, () => ({
    q: variables.affine(dim, dim),
    k: variables.affine(dim, dim),
    v: variables.affine(dim, dim),
    out: variables.affine(dim, dim),
    norm1: variables.norm(dim),
    up: variables.affine(dim, 4 * dim),
    down: variables.affine(4 * dim, dim),
    norm2: variables.norm(dim),
  }));
  const head = { dense: variables.affine(dim, dim), norm: variables.norm(dim) };
  const bias = variables.zeros(vocabulary);
  return {
    variables,
    scores({ inputs }) {
      const batch = inputs.shape[0];
      const sum = lookUp(tokens, inputs)
        .reshape([batch, length, dim])
        .add(positions)
        .add(types.slice([0, 0], [1, dim]))
        .reshape<tf.Tensor2D>([batch * length, dim]);
      let x = layerNorm(sum, embedded, epsilon);
      for (const { q, k, v, out, norm1, up, down, norm2 } of blocks) {
        const scale = 1 / Math.sqrt(dim / heads);
        const qkv = [affine(x, q), affine(x, k), affine(x, v)] as const;
        const mixed = attention(qkv, { batch, heads, scale });
        x = layerNorm(x.add(affine(mixed, out)), norm1, epsilon);
        x = layerNorm(x.add(affine(gelu(affine(x, up)), down)), norm2, epsilon);
      }
      const transformed = layerNorm(gelu(affine(x, head.dense)), head.norm, epsilon);
      return product(transformed, tokens, true).add(bias);
    },
  };
}
