import { type ForwardContext, type Layer, type ParamStore, tapped } from '@headwise/core';
import { none } from '@headwise/kernels';
import type { Linear } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import { attend } from './attend.js';
import { mergeHeads } from './heads.js';
import { type AttentionLayerOptions, outProjection, queryAndKeyNorms } from './multi-head.js';
import { SeparateProjection } from './projections.js';

/**
 * Multi-head cross-attention: queries from one sequence, keys and values from another, of another
 * length and width: `head_i = softmax(Q_i K_iᵀ / √Dh + M) V_i`.
 *
 * Parameters and taps are those of `MultiHeadAttention`; `kProj` and `vProj` are `[Dkv, Hkv Dh]`.
 *
 * @see Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473; Vaswani et al. 2017, §3.2.3,
 * https://arxiv.org/abs/1706.03762
 * @example
 * const cross = new CrossAttention(params.at('cross'), { dim: 64, kvDim: 96, heads: 4 });
 * const y = cross.forward(x, encoded); // [B, Tq, 64] from [B, Tq, 64] and [B, Tk, 96]
 */
export class CrossAttention {
  readonly #projection: SeparateProjection;
  readonly #norms: Record<'q' | 'k', Layer> | undefined;
  readonly #out: Linear;
  readonly #options: AttentionLayerOptions;
  readonly #path: string;

  /** @throws InputError where heads and widths do not fit */
  constructor(params: ParamStore, options: AttentionLayerOptions) {
    this.#path = params.path;
    this.#options = options;
    this.#projection = new SeparateProjection(params, options);
    this.#norms = queryAndKeyNorms(params, options);
    this.#out = outProjection(params, options);
  }

  /**
   * @param x `[B, Tq, D]`
   * @param encoded `[B, Tk, Dkv]`, what is looked at
   * @returns `[B, Tq, outDim]`
   */
  forward(x: tf.Tensor, encoded: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const path = this.#path;
    const { mask = none, scale, dropout } = this.#options;
    return tf.tidy(() => {
      const projected = {
        q: this.#projection.queries(x, ctx),
        ...this.#projection.keysAndValues(encoded, ctx),
      };
      const q = tapped(ctx, path, 'q', this.#norms?.q.forward(projected.q, ctx) ?? projected.q);
      const k = tapped(ctx, path, 'k', this.#norms?.k.forward(projected.k, ctx) ?? projected.k);
      const v = tapped(ctx, path, 'v', projected.v);
      const heads = attend(q, k, v, { mask, scale, ctx, path, dropout });
      return tapped(ctx, path, 'out', this.#out.forward(mergeHeads(heads), ctx));
    });
  }
}
