import {
  type ForwardContext,
  type Initializer,
  type Layer,
  type ParamStore,
  tapped,
} from '@headwise/core';
import { type Mask, none } from '@headwise/kernels';
import { Linear } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import { attend } from './attend.js';
import { type Projection, type ProjectionKind, SeparateProjection } from './projections.js';

export interface MultiHeadAttentionOptions {
  /** `D`, divisible by `heads`. */
  dim: number;
  heads: number;
  /** Which keys a query may see; default `none`. */
  mask?: Mask | undefined;
  /** The class that makes queries, keys and values; default `SeparateProjection`. */
  projection?: ProjectionKind | undefined;
  /** Of the projections, in and out; default true. */
  bias?: boolean | undefined;
  /** Applied to the attention weights in training. */
  dropout?: Layer | undefined;
  /** How the output projection starts, where it is scaled by depth. */
  outInit?: Initializer | undefined;
}

/**
 * Multi-head self-attention: `Concat(head₁ … head_H) W_O`, `head_i = softmax(Q_i K_iᵀ / √Dh + M) V_i`.
 *
 * Parameters: those of the projection, and `outProj`, a linear map `[D, D]`.
 * Taps: `q k v heads` `[B, H, T, Dh]`, `scores pattern` `[B, H, Tq, Tk]`, `out` `[B, T, D]`.
 *
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
 * @example
 * const attention = new MultiHeadAttention(params.at('attn'), { dim: 64, heads: 4, mask: causal });
 * const y = attention.forward(x); // [B, T, 64]
 */
export class MultiHeadAttention implements Layer {
  readonly #projection: Projection;
  readonly #out: Linear;
  readonly #mask: Mask;
  readonly #dropout: Layer | undefined;
  readonly #dim: number;
  readonly #path: string;

  constructor(params: ParamStore, options: MultiHeadAttentionOptions) {
    const { dim, bias = true, mask = none, projection: Kind = SeparateProjection } = options;
    this.#path = params.path;
    this.#dim = dim;
    this.#mask = mask;
    this.#dropout = options.dropout;
    this.#projection = new Kind(params, options);
    this.#out = new Linear(params.at('outProj'), {
      in: dim,
      out: dim,
      bias,
      init: options.outInit,
    });
  }

  /** @param x `[B, T, D]`, the tokens that follow those in `ctx.cache` @returns `[B, T, D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const path = this.#path;
    return tf.tidy(() => {
      const projected = this.#projection.project(x, ctx);
      const q = tapped(ctx, path, 'q', projected.q);
      let k = tapped(ctx, path, 'k', projected.k);
      let v = tapped(ctx, path, 'v', projected.v);
      if (ctx?.cache) ({ k, v } = ctx.cache.append(path, k, v));
      const attended = attend(q, k, v, { mask: this.#mask, ctx, path, dropout: this.#dropout });
      const heads = tapped(ctx, path, 'heads', attended);
      const [batch, , length] = heads.shape;
      const merged = heads.transpose([0, 2, 1, 3]).reshape([batch!, length!, this.#dim]);
      return tapped(ctx, path, 'out', this.#out.forward(merged, ctx));
    });
  }
}
