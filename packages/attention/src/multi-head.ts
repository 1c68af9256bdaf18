import {
  type ForwardContext,
  type Initializer,
  type Layer,
  type ParamStore,
  tapped,
} from '@headwise/core';
import { type Mask, none } from '@headwise/kernels';
import { Linear } from '@headwise/layers';
import type { AttentionPosition } from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';
import { attend } from './attend.js';
import { attendCached } from './cached.js';
import { headSizes, mergeHeads } from './heads.js';
import {
  hasBias,
  type Projection,
  type ProjectionKind,
  type ProjectionOptions,
  SeparateProjection,
} from './projections.js';

/** What self- and cross-attention have in common. */
export interface AttentionLayerOptions extends ProjectionOptions {
  /** The width of the output; default `dim`. */
  outDim?: number | undefined;
  /** Which keys a query may see; default `none`. */
  mask?: Mask | undefined;
  /** Default `1 / √Dh`. */
  scale?: number | undefined;
  /** Makes the norms of queries and keys, `qNorm` and `kNorm`, of each head's `Dh` channels. */
  qkNorm?: ((params: ParamStore, dim: number) => Layer) | undefined;
  /** Applied to the attention weights in training. */
  dropout?: Layer | undefined;
  /** How the output projection starts, where it is scaled by depth. */
  outInit?: Initializer | undefined;
}

export interface MultiHeadAttentionOptions extends AttentionLayerOptions {
  /** Rotates queries and keys, or adds to their scores; default none. */
  position?: AttentionPosition | undefined;
  /** The class that makes queries, keys and values; default `SeparateProjection`. */
  projection?: ProjectionKind | undefined;
}

/**
 * Multi-head self-attention: `Concat(head₁ … head_H) W_O`, `head_i = softmax(Q_i K_iᵀ / √Dh + M) V_i`.
 *
 * With fewer `kvHeads` than `heads`, `H / Hkv` neighbouring heads of queries share one of keys and
 * values: grouped-query attention, or multi-query where there is one.
 *
 * Parameters: those of the projection, `outProj`, a linear map `[H Dh, outDim]`, and those of
 * `qNorm` and `kNorm` where there are such norms.
 * Taps: `q k v` `[B, H, T, Dh]` before positions, `heads` `[B, H, Tq, Dh]`, `scores pattern` `[B, H, Tq, Tk]`, `out` `[B, T, D]`.
 *
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; Shazeer 2019,
 * https://arxiv.org/abs/1911.02150; Ainslie et al. 2023, https://arxiv.org/abs/2305.13245
 * @example
 * const attention = new MultiHeadAttention(params.at('attn'), { dim: 64, heads: 4, mask: causal });
 * const y = attention.forward(x); // [B, T, 64]
 */
export class MultiHeadAttention implements Layer {
  readonly #projection: Projection;
  readonly #norms: Record<'q' | 'k', Layer> | undefined;
  readonly #out: Linear;
  readonly #options: MultiHeadAttentionOptions;
  readonly #path: string;

  /** @throws InputError where heads and widths do not fit */
  constructor(params: ParamStore, options: MultiHeadAttentionOptions) {
    const { projection: Kind = SeparateProjection } = options;
    this.#path = params.path;
    this.#options = options;
    this.#projection = new Kind(params, options);
    this.#norms = queryAndKeyNorms(params, options);
    this.#out = outProjection(params, options);
  }

  /** @param x `[B, T, D]`, the tokens that follow those in `ctx.cache` @returns `[B, T, outDim]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const path = this.#path;
    const { mask = none, scale, position, dropout } = this.#options;
    return tf.tidy(() => {
      const projected = this.#projection.project(x, ctx);
      let q = tapped(ctx, path, 'q', this.#norms?.q.forward(projected.q, ctx) ?? projected.q);
      let k = tapped(ctx, path, 'k', this.#norms?.k.forward(projected.k, ctx) ?? projected.k);
      const v = tapped(ctx, path, 'v', projected.v);
      const start = ctx?.cache?.lengthOf(path) ?? 0;
      if (position) ({ q, k } = position.apply(q, k, { start, keys: start + k.shape[2]! }));
      const given = { mask, scale, ctx, path, dropout };
      const attended = ctx?.cache
        ? attendCached(q, k, v, { ...given, cache: ctx.cache })
        : attend(q, k, v, given);
      const heads = tapped(ctx, path, 'heads', attended);
      return tapped(ctx, path, 'out', this.#out.forward(mergeHeads(heads), ctx));
    });
  }
}

/** The norms of queries and keys, if there are any. */
export function queryAndKeyNorms(
  params: ParamStore,
  options: AttentionLayerOptions,
): Record<'q' | 'k', Layer> | undefined {
  const { qkNorm } = options;
  if (!qkNorm) return undefined;
  const { headDim } = headSizes(options);
  return { q: qkNorm(params.at('qNorm'), headDim), k: qkNorm(params.at('kNorm'), headDim) };
}

/** The map from the heads side by side to the output. */
export function outProjection(params: ParamStore, options: AttentionLayerOptions): Linear {
  const { heads, headDim } = headSizes(options);
  return new Linear(params.at('outProj'), {
    in: heads * headDim,
    out: options.outDim ?? options.dim,
    bias: hasBias(options.bias, 'out'),
    layout: options.layout,
    init: options.outInit,
  });
}
