import {
  checkShape,
  type ForwardContext,
  type Initializer,
  InputError,
  initializers,
  type ParamStore,
} from '@headwise/core';
import type { MatrixLayout } from '@headwise/core/internal';
import { type ScoreMod, scoreMod, scoreTable } from '@headwise/kernels';
import { row } from '@headwise/kernels/internal';
import { Dropout, LayerNorm, Linear } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import { type AttentionPosition, type Placed, refusePositions, type Span } from './position.js';

/** Which products with vectors of distances are added to scores. */
export type DisentangledTerm = 'content-to-position' | 'position-to-content';

/** The distances that have vectors. */
export interface DistanceRows {
  /** `S`: there are `2 S` rows. */
  span: number;
  /**
   * Distances of half the span and more share rows, logarithmically more of them up to this distance; default none, and
   * distances of the span and more count as it.
   */
  maxDistance?: number | undefined;
}

/**
 * The row of the vector of a distance `q − k`, in `[0, 2 S)`: `S` at the same place, and monotone in the distance.
 *
 * In steps of float32, so that distances at the edge of a bucket fall where Hugging Face's do.
 */
export function distanceRow(distance: number, { span, maxDistance }: DistanceRows): number {
  const { abs, ceil, floor, fround, log, max, min, sign } = Math;
  const middle = floor(span / 2);
  const far = abs(distance);
  let bucket = distance;
  if (maxDistance !== undefined && far > middle) {
    const spread = fround(log(fround((maxDistance - 1) / middle)));
    const part = fround(fround(log(fround(far / middle))) / spread);
    bucket = sign(distance) * (ceil(fround(part * (middle - 1))) + middle);
  }
  return max(0, min(bucket + span, 2 * span - 1));
}

export interface DisentangledPositionOptions extends DistanceRows {
  /** `D` */
  dim: number;
  heads: number;
  /** `Dh` */
  headDim: number;
  terms: readonly DisentangledTerm[];
  /** The epsilon of a norm of the vectors; default no norm. */
  normEpsilon?: number | undefined;
  /** Of the vectors; default 0. */
  dropout?: number | undefined;
  /** Where the attention layer's own projections lie, if vectors become keys and queries by them; default by others. */
  attention?: ParamStore | undefined;
  /** Whether those have biases; default true. */
  bias?: boolean | undefined;
  layout?: MatrixLayout | undefined;
  /** How the table starts; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
}

/**
 * Disentangled attention of DeBERTa: a vector `r` for each distance becomes keys and queries beside those of the tokens,
 * `s_ij = (q_i · k_j + q_i · W_K r[i − j] + k_j · W_Q r[i − j]) · scale`.
 *
 * Parameters: `weight` `[2 S, D]` and `norm`, which all layers share; `key` and `query` of each layer, linear maps `[D, H Dh]`,
 * unless its own projections are taken. The products are tables of a number for each token and distance that occurs,
 * `[H, B, T, min(2 T − 1, 2 S)]`, which scores look up in the fused kernel: memory grows with T, and not with T² beyond the
 * span.
 *
 * @see He et al. 2020, https://arxiv.org/abs/2006.03654; He, Gao and Chen 2021 (v3), https://arxiv.org/abs/2111.09543
 */
export class DisentangledPosition implements AttentionPosition {
  readonly name = 'disentangled';
  readonly needsProduct = true;
  readonly #options: DisentangledPositionOptions;
  readonly #table: tf.Tensor2D;
  readonly #norm: LayerNorm | undefined;
  readonly #dropout: Dropout;
  readonly #key: Linear | undefined;
  readonly #query: Linear | undefined;

  /**
   * @param params of all layers
   * @param own of this layer
   * @throws InputError without terms, and for a span or a distance that leaves no bucket
   */
  constructor(params: ParamStore, own: ParamStore, options: DisentangledPositionOptions) {
    checkOptions(options);
    const { span, dim, heads, headDim, terms, normEpsilon: epsilon, attention } = options;
    const { dropout: rate = 0, bias, layout, init = initializers.normal(0.02) } = options;
    this.#options = options;
    this.#table = params.get('weight', [2 * span, dim], init);
    this.#norm =
      epsilon === undefined ? undefined : new LayerNorm(params.at('norm'), { dim, epsilon });
    this.#dropout = new Dropout({ rate });
    const map = { in: dim, out: heads * headDim, layout, init };
    const linear = (term: DisentangledTerm, name: 'key' | 'query') => {
      if (!terms.includes(term)) return undefined;
      return attention
        ? new Linear(attention.at(name === 'key' ? 'kProj' : 'qProj'), { ...map, bias })
        : new Linear(own.at(name), map);
    };
    this.#key = linear('content-to-position', 'key');
    this.#query = linear('position-to-content', 'query');
  }

  apply(q: tf.Tensor, k: tf.Tensor, at: Span): Placed {
    refusePositions(this.name, at);
    const { heads, headDim } = this.#options;
    const { keys: length, scale = 1 / Math.sqrt(headDim), ctx } = at;
    checkShape('disentangled: q', q.shape, ['B', heads, length, headDim]);
    checkShape('disentangled: k', k.shape, [q.shape[0]!, heads, length, headDim]);
    const rows = Int32Array.from({ length: 2 * length - 1 }, (_, i) =>
      distanceRow(i + 1 - length, this.#options),
    );
    const [first, last] = [rows[0]!, rows.at(-1)!];
    const found = this.#table.slice([first, 0], [last + 1 - first, -1]);
    const normed = this.#norm?.forward(found, ctx) ?? found;
    const vectors = this.#dropout.forward(normed, ctx); // [N, D]
    const places = scoreTable(tf.tensor1d(rows, 'int32').sub(tf.scalar(first, 'int32')), 'int32');
    const mods: ScoreMod[] = [];
    if (this.#key) {
      const products = scoreTable(this.#products(q.mul(scale), this.#key, vectors, ctx));
      mods.push(
        scoreMod((score, b, h, q, k) =>
          score.add(products.at(h, b, row, places.at(q.sub(k).add(length - 1)))),
        ),
      );
    }
    if (this.#query) {
      const products = scoreTable(this.#products(k.mul(scale), this.#query, vectors, ctx));
      mods.push(
        scoreMod((score, b, h, q, k) =>
          score.add(products.at(h, b, k, places.at(q.sub(k).add(length - 1)))),
        ),
      );
    }
    return { q, k, mods };
  }

  /** Products of tokens with distances. @param x `[B, H, T, Dh]` @param vectors `[N, D]` @returns `[H, B, T, N]` */
  #products(
    x: tf.Tensor,
    map: Linear,
    vectors: tf.Tensor,
    ctx: ForwardContext | undefined,
  ): tf.Tensor {
    const [batch, heads, length, width] = x.shape as [number, number, number, number];
    const count = vectors.shape[0]!;
    const mapped = map.forward(vectors, ctx).reshape([count, heads, width]).transpose([1, 2, 0]);
    const rows = x.transpose([1, 0, 2, 3]).reshape([heads, batch * length, width]);
    return tf.matMul(rows, mapped).reshape([heads, batch, length, count]);
  }
}

function checkOptions({ span, maxDistance, terms }: DisentangledPositionOptions): void {
  if (terms.length === 0) {
    throw new InputError('disentangled: there are no terms; expected at least one');
  }
  if (maxDistance === undefined || (span >= 4 && maxDistance > Math.floor(span / 2) + 1)) return;
  throw new InputError(
    `disentangled: a span of ${span} up to a distance of ${maxDistance}; expected a span of at least 4, and a distance beyond half of it and 1`,
  );
}
