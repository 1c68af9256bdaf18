import { checkParams, type ForwardContext, InputError, type ParamStore } from '@headwise/core';
import { keyValueCacheOf } from '@headwise/decoding';
import { Heads } from '@headwise/kernels';
import { type AttentionPosition, noPosition } from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';
import { makeCrossProjection } from './check-parts.js';
import { AttentionCore } from './layer.js';
import type { AttentionLayerOptions } from './layer-options.js';
import {
  type CrossProjection,
  type CrossProjectionKind,
  SeparateProjection,
} from './projections.js';

export interface CrossAttentionOptions extends AttentionLayerOptions {
  /** The class that makes queries of one sequence, keys and values of the other; default `SeparateProjection`. */
  projection?: CrossProjectionKind | undefined;
}

/**
 * Multi-head cross-attention: queries from one sequence, keys and values from another, of another
 * length and width: `head_i = softmax(Q_i K_iᵀ / √Dh + M) V_i`.
 *
 * It has no positions of its own: those of the two sequences are not of one axis. Parameters and taps are those of
 * `MultiHeadAttention`; `kProj` and `vProj` are `[Dkv, Hkv Dh]`, and `kv` of `KeyValueProjection` `[Dkv, 2 Hkv Dh]`.
 *
 * @see Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473; Vaswani et al. 2017, §3.2.3,
 * https://arxiv.org/abs/1706.03762
 * @example
 * const cross = new CrossAttention(params.at('cross'), { dim: 64, kvDim: 96, heads: 4 });
 * const y = cross.forward(x, encoded); // [B, Tq, 64] from [B, Tq, 64] and [B, Tk, 96]
 */
export class CrossAttention {
  readonly #projection: CrossProjection;
  readonly #core: AttentionCore;
  readonly path: string;

  /** @throws InputError where heads and widths do not fit, or a position is given */
  constructor(params: ParamStore, options: CrossAttentionOptions) {
    const { projection: Kind = SeparateProjection } = options;
    checkParams('attention', params);
    const { position } = options as { position?: AttentionPosition | undefined };
    if (position && position !== noPosition) {
      throw new InputError(
        `attention: queries and keys of cross-attention have no common axis for '${position.name}' positions`,
      );
    }
    this.path = params.place;
    this.#projection = makeCrossProjection(Kind, params, options);
    this.#core = new AttentionCore(params, options, undefined);
  }

  /**
   * @param x `[B, Tq, D]`
   * @param encoded `[B, Tk, Dkv]`, what is looked at; with `ctx.cache` its keys and values are made once
   * @param encodedMask `[B, Tk]`, int32: 1 where `encoded` has a token, 0 at padding; default all
   * @returns `[B, Tq, outDim]`
   */
  forward(
    x: tf.Tensor,
    encoded: tf.Tensor,
    ctx?: ForwardContext,
    encodedMask?: tf.Tensor,
  ): tf.Tensor {
    if (ctx?.documents) {
      throw new InputError(
        'attention: cross-attention does not know the documents of its keys; expected rows of one document',
      );
    }
    return tf.tidy(() => {
      const q = this.#projection.queries(x, ctx);
      const make = () => this.#projection.keysAndValues(encoded, ctx);
      const cache = keyValueCacheOf(ctx);
      // A cache keeps them as those of other layers.
      const kept = cache?.once(this.path, x.shape[0]!, () => {
        const { k, v } = make();
        return { k: k.headsFirst(), v: v.headsFirst() };
      });
      const { k, v } = kept ?? make();
      const prepared = this.#core.prepare({ q, k: Heads.of(k), v: Heads.of(v) }, ctx);
      return this.#core.attend(prepared, encodedMask, ctx);
    });
  }
}
