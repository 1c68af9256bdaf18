import { checkShape, InputError, initializers, type ParamStore } from '@headwise/core';
import { scoreMod, scoreTable } from '@headwise/kernels';
import { type RowTerm, row } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { alongDiagonal } from './diagonal.js';
import { type AttentionPosition, type Placed, refusePositions, type Span } from './position.js';

export interface ShawPositionOptions {
  /** `Dh`, the width of a head. */
  headDim: number;
  /** `K`: distances beyond it count as it. */
  clip: number;
  /** Whether values get positions too, as in the paper; default true. */
  values?: boolean | undefined;
}

/**
 * Relative positions of Shaw et al.: a learned vector for each clipped distance is added to keys, and
 * another to values: `s_ij = q_i · (k_j + A^K[j − i]) / √Dh`, `y_i = Σ_j α_ij (v_j + A^V[j − i])`.
 *
 * Parameters: `keys` and `values`, `[2 K + 1, Dh]`, shared by the heads. The products `q Aᵀ` are a table of
 * `2 K + 1` numbers for each query, which scores look up in the fused kernel; with `values`, attention
 * runs in plain operations, some queries at a time, and its memory still grows with T.
 *
 * @see Shaw, Uszkoreit and Vaswani 2018, https://arxiv.org/abs/1803.02155
 */
export class ShawPosition implements AttentionPosition {
  readonly name = 'shaw';
  readonly needsProduct = true;
  readonly #keys: tf.Tensor2D;
  readonly #values: tf.Tensor2D | undefined;
  readonly #clip: number;

  /** @throws InputError unless `clip` is a positive integer */
  constructor(params: ParamStore, { headDim, clip, values = true }: ShawPositionOptions) {
    if (!(Number.isInteger(clip) && clip > 0)) {
      throw new InputError(`shaw: clip is ${clip}; expected a positive integer`);
    }
    const shape = [2 * clip + 1, headDim] as const;
    this.#keys = params.get('keys', shape, initializers.normal(0.02));
    if (values) {
      this.#values = params.get('values', shape, initializers.normal(0.02));
    }
    this.#clip = clip;
  }

  apply(q: tf.Tensor, k: tf.Tensor, { scale, positions }: Span): Placed {
    refusePositions(this.name, { positions });
    const [distances, width] = this.#keys.shape;
    checkShape('shaw: q', q.shape, ['B', 'H', 'Tq', width]);
    const [batch, heads, queries] = q.shape as [number, number, number];
    const factor = scale ?? 1 / Math.sqrt(width);
    const products = tf
      .matMul(q.mul(factor).reshape([-1, width]), this.#keys, false, true)
      .reshape([batch, heads, queries, distances]);
    const clip = this.#clip;
    const mod = scoreMod((score, b, h, q, k) =>
      score.add(scoreTable(products).at(b, h, row, k.sub(q).add(clip))),
    );
    return { q, k, mods: [mod], ...(this.#values ? { term: valueTerm(this.#values, clip) } : {}) };
  }
}

/** `Σ_j α_ij A[j − i]`: the weights of each clipped distance summed, times its vector. */
const valueTerm = (vectors: tf.Tensor2D, clip: number): RowTerm => ({
  inputs: [vectors],
  values(pattern, { place }, [vectors]) {
    const [batch, heads, rows, keys] = pattern.shape as [number, number, number, number];
    const weights = pattern.reshape<tf.Tensor3D>([batch * heads, rows, keys]);
    const near = alongDiagonal(weights, place - clip + 1, 2 * clip - 1); // [B H, C, 2 K − 1]
    const at = tf.range(place, place + rows).reshape([rows, 1]);
    const distance = tf.range(0, keys).reshape([1, keys]).sub(at); // [C, Tk]
    const summed = (seen: tf.Tensor) => weights.mul(seen.toFloat()).sum(-1, true);
    const sums = [summed(distance.lessEqual(-clip)), near, summed(distance.greaterEqual(clip))];
    const width = vectors!.shape[1]!;
    return tf
      .matMul(tf.concat(sums, -1).reshape([-1, 2 * clip + 1]), vectors as tf.Tensor2D)
      .reshape([batch, heads, rows, width]);
  },
});
