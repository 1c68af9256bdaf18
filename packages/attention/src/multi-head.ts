import {
  checkLayer,
  checkParams,
  type ForwardContext,
  type Layer,
  type ParamStore,
} from '@headwise/core';
import { keyValueCacheOf } from '@headwise/decoding';
import { Heads } from '@headwise/kernels';
import { type AttentionPosition, noPosition, type Placement, type Span } from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';
import { checkAttentionPosition, makeProjection } from './check-parts.js';
import { AttentionCore } from './layer.js';
import type { AttentionLayerOptions } from './layer-options.js';
import {
  type Projected,
  type Projection,
  type ProjectionKind,
  SeparateProjection,
} from './projections.js';

export interface MultiHeadAttentionOptions extends AttentionLayerOptions {
  /** Rotates queries and keys, or adds to their scores; default none. */
  position?: AttentionPosition | undefined;
  /** The class that makes queries, keys and values; default `SeparateProjection`. */
  projection?: ProjectionKind | undefined;
  /** Of x and of what a memory keeps of the tokens before it, which it keeps as they are; default none. */
  norm?: Layer | undefined;
}

/**
 * Multi-head self-attention: `Concat(head₁ … head_H) W_O`, `head_i = softmax(Q_i K_iᵀ / √Dh + M) V_i`.
 *
 * With fewer `kvHeads` than `heads`, `H / Hkv` neighbouring heads of queries share one of keys and
 * values: grouped-query attention, or multi-query where there is one.
 *
 * Parameters: those of the projection, `outProj`, a linear map `[H Dh, outDim]`, `score` of scores that
 * have some, `sinks` `[H]` and those of `qNorm` and `kNorm` where there are such.
 * Taps: `q k v` `[B, H, T, Dh]` before positions, `heads` `[B, H, Tq, Dh]`, `scores pattern` `[B, H, Tq, Tk]`,
 * `out` `[B, T, D]`.
 *
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; Shazeer 2019,
 * https://arxiv.org/abs/1911.02150; Ainslie et al. 2023, https://arxiv.org/abs/2305.13245
 * @example
 * const attention = new MultiHeadAttention(params.at('attn'), { dim: 64, heads: 4, mask: causal });
 * const y = attention.forward(x); // [B, T, 64]
 */
export class MultiHeadAttention implements Layer {
  readonly #projection: Projection;
  readonly #core: AttentionCore;
  readonly #position: AttentionPosition;
  readonly #norm: Layer | undefined;
  readonly path: string;

  /** @throws InputError where heads and widths do not fit, or the score and the position */
  constructor(params: ParamStore, options: MultiHeadAttentionOptions) {
    const { projection: Kind = SeparateProjection, position = noPosition } = options;
    checkParams('attention', params);
    checkAttentionPosition(position);
    if (options.norm !== undefined) checkLayer('attention: norm', options.norm);
    this.path = params.place;
    this.#position = position;
    this.#norm = options.norm;
    this.#projection = makeProjection(Kind, params, options);
    this.#core = new AttentionCore(params, options, position);
  }

  /**
   * @param x `[B, T, D]`, the tokens that follow those in `ctx.cache`, or those in `ctx.memory`, which are
   * looked at and do not ask
   * @returns `[B, T, outDim]`
   */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const path = this.path;
    const cache = keyValueCacheOf(ctx);
    return tf.tidy(() => {
      const memory = ctx?.memory?.read(path);
      const projected = this.#core.prepare(this.#projected(x, memory, ctx), ctx);
      ctx?.memory?.write(path, x);
      const [queries, keys] = [projected.q.shape[2], projected.k.shape[2]];
      const cached = cache?.lengthOf(path) ?? 0;
      const placed = this.#placed(projected, {
        start: cached + keys - queries,
        // Before this layer's first tokens the cache may tell of other layers only.
        starts: cached > 0 ? cache?.starts : undefined,
        lengths: ctx?.lengths,
        positions: ctx?.positions,
        documents: ctx?.documents,
        keys: cached + keys,
        scale: this.#core.scale,
        ctx,
      });
      return this.#core.attend(placed, ctx?.attentionMask, ctx, cache);
    });
  }

  /** Queries and keys with positions: where they lie, unless the encoding reads them. */
  #placed({ q, k, v }: Projected, at: Span): Projected & Placement {
    const position = this.#position;
    if (position.place && q.shape[2] === k.shape[2]) {
      return { q, k, v, ...position.place(q.shape, k.shape, at) };
    }
    const placed = position.apply(q.headsFirst(), k.headsFirst(), at);
    return { ...placed, q: Heads.of(placed.q), k: Heads.of(placed.k), v };
  }

  /** Queries of x alone, keys and values of memory and x. */
  #projected(x: tf.Tensor, memory: tf.Tensor | undefined, ctx?: ForwardContext): Projected {
    const all = memory ? tf.concat([memory, x], 1) : x;
    const projected = this.#projection.project(this.#norm?.forward(all, ctx) ?? all, ctx);
    const [q, k, v] = [projected.q, projected.k, projected.v].map(Heads.of) as [
      Heads,
      Heads,
      Heads,
    ];
    if (!memory) return { q, k, v };
    const asking = q.headsFirst().slice([0, 0, memory.shape[1]!, 0], [-1, -1, -1, -1]);
    return { q: Heads.of(asking), k, v };
  }
}
