import {
  checkShape,
  type Initializer,
  InputError,
  initializers,
  type ParamStore,
} from '@headwise/core';
import type { MatrixLayout } from '@headwise/core/internal';
import { scoreMod, scoreTable } from '@headwise/kernels';
import { type RowTerm, row } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { type AttentionPosition, type Placed, refusePositions, type Span } from './position.js';

export interface TransformerXLPositionOptions {
  /** `D`, the width of the sinusoids; even. */
  dim: number;
  heads: number;
  /** `Dh` */
  headDim: number;
  /** Distances beyond it count as it, where trained ones are shorter than what is read; default none. */
  maxDistance?: number | undefined;
  /** How `R` lies; default `in-out`. */
  layout?: MatrixLayout | undefined;
  /** Where `u` and `v` are, for layers that share them; default with `R`. */
  biases?: ParamStore | undefined;
  /** How the parameters start; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
}

/**
 * Relative positions of Transformer-XL: `s_ij = ((q_i + u) · k_j + (q_i + v) · W_R r_(i−j)) / √Dh`, where `r` is
 * the sinusoid of the distance, `[sin; cos]`.
 *
 * Parameters: `u` and `v` `[H, Dh]`, `R.weight` `[D, H Dh]` or `[H Dh, D]`. The second product is made
 * for a few queries at a time, so that memory grows with T; the first runs in the fused kernel, which looks the second up.
 *
 * @see Dai et al. 2019, https://arxiv.org/abs/1901.02860
 */
export class TransformerXLPosition implements AttentionPosition {
  readonly name = 'transformer-xl';
  readonly needsProduct = true;
  readonly #u: tf.Tensor2D;
  readonly #v: tf.Tensor2D;
  readonly #r: tf.Tensor2D;
  readonly #options: TransformerXLPositionOptions;

  /** @throws InputError where `dim` is odd */
  constructor(params: ParamStore, options: TransformerXLPositionOptions) {
    const {
      dim,
      heads,
      headDim,
      layout,
      biases = params,
      init = initializers.normal(0.02),
    } = options;
    if (dim % 2 !== 0)
      throw new InputError(`transformer-xl: dim is ${dim}; expected an even number`);
    this.#options = options;
    this.#u = biases.get('u', [heads, headDim], init);
    this.#v = biases.get('v', [heads, headDim], init);
    const width = heads * headDim;
    const shape: [number, number] = layout === 'out-in' ? [width, dim] : [dim, width];
    this.#r = params.at('R').get('weight', shape, init);
  }

  apply(q: tf.Tensor, k: tf.Tensor, { keys, scale, positions }: Span): Placed {
    refusePositions(this.name, { positions });
    const { heads, headDim } = this.#options;
    checkShape('transformer-xl: q', q.shape, ['B', heads, 'Tq', headDim]);
    const queries = q.shape[2]!;
    // Distances i − j: from the first query to the last key, to the last query from the first key.
    const least = 1 - queries;
    const distances = this.#distances(least, keys);
    const own = (bias: tf.Tensor2D) => bias.reshape([1, heads, 1, headDim]);
    const factor = scale ?? 1 / Math.sqrt(headDim);
    const moved = tf.sub<tf.Tensor>(own(this.#v), own(this.#u));
    return {
      q: q.add(own(this.#u)),
      k,
      term: distanceTerm([moved.mul(factor), distances], factor, least),
    };
  }

  /** `W_R r` of the distances from `first` to `end`, `[H, end − first, Dh]`. */
  #distances(first: number, end: number): tf.Tensor3D {
    const { dim, heads, headDim, layout, maxDistance = Number.POSITIVE_INFINITY } = this.#options;
    const count = end - first;
    const sinusoids = new Float32Array(count * dim);
    for (let i = 0; i < count; i++) {
      const distance = Math.max(-maxDistance, Math.min(first + i, maxDistance));
      for (let c = 0; c < dim / 2; c++) {
        const angle = distance / 10_000 ** ((2 * c) / dim);
        sinusoids[i * dim + c] = Math.sin(angle);
        sinusoids[i * dim + dim / 2 + c] = Math.cos(angle);
      }
    }
    return tf
      .matMul(tf.tensor2d(sinusoids, [count, dim]), this.#r, false, layout === 'out-in')
      .reshape<tf.Tensor3D>([count, heads, headDim])
      .transpose([1, 0, 2]);
  }
}

/**
 * Adds `(q_i + v) · R[i − j]` of some queries, a table `[H, B, C, distances]` that scores look up.
 *
 * @param inputs what to add to the scaled queries, which hold u already, and the distances' vectors `[H, n, Dh]`
 * @param least the first of the distances
 */
const distanceTerm = (inputs: tf.Tensor[], factor: number, least: number): RowTerm => ({
  inputs,
  mods({ q, keys, place }, [moved, distances]) {
    const [batch, heads, rows, width] = q.shape as [number, number, number, number];
    // The distances from these queries to the keys, starting at the last key.
    const first = Math.max(least, place - (keys - 1));
    const count = place + rows - first;
    const all = count === distances!.shape[1];
    const met = all ? distances! : distances!.slice([0, first - least, 0], [-1, count, -1]);
    const scaled = q.mul(factor).add(moved!);
    // Of one sequence, or one head, the order of both is the same.
    const asking = batch === 1 || heads === 1 ? scaled : scaled.transpose([1, 0, 2, 3]); // [H, B, C, Dh]
    const products = tf
      .matMul(asking.reshape([heads, batch * rows, width]), met, false, true)
      .reshape([heads, batch, rows, -1]);
    return [
      scoreMod((score, b, h, q, k) =>
        score.add(scoreTable(products).at(h, b, row, q.sub(k).sub(first))),
      ),
    ];
  },
});
