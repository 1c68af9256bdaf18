import {
  type ForwardContext,
  InputError,
  initializers,
  type Layer,
  type ParamStore,
  tapped,
} from '@headwise/core';
import { isTapped } from '@headwise/core/internal';
import type { KeyValueCache } from '@headwise/decoding';
import { Heads, masks, type RotaryTables } from '@headwise/kernels';
import {
  checkScoring,
  type LayerAttentionOptions,
  layerAttention,
  turnHeads,
} from '@headwise/kernels/internal';
import { Linear } from '@headwise/layers';
import type { AttentionPosition, Placement } from '@headwise/positions';
import type * as tf from '@tensorflow/tfjs';
import { type AttendOptions, inPass } from './attend.js';
import { checkCoreParts, checkedNorm } from './check-parts.js';
import { headSizes, headsIn } from './heads.js';
import type { AttentionLayerOptions } from './layer-options.js';
import { hasBias, type Projected } from './projections.js';
import { scaledDotProductScore } from './scores/scaled-dot-product.js';
import type { Score } from './scores/score.js';

/** All of an attention layer but its projections of queries, keys and values. */
export class AttentionCore {
  readonly #options: AttentionLayerOptions;
  readonly #path: string;
  readonly #score: Score;
  readonly #norms: Record<'q' | 'k', Layer> | undefined;
  readonly #sinks: tf.Tensor | undefined;
  readonly #out: Linear;

  /**
   * @throws InputError for what is not a mask or a score mod, and where a score that is not a product is given a scale,
   * or a position that works on products
   */
  constructor(
    params: ParamStore,
    options: AttentionLayerOptions,
    position: AttentionPosition | undefined,
  ) {
    checkScoring('attention', options);
    checkCoreParts(options);
    const { heads, kvHeads, headDim } = headSizes(options);
    const { score = scaledDotProductScore, qkNorm, qkNormAcross: across = false } = options;
    this.#path = params.place;
    this.#options = options;
    this.#score = score(params.at('score'), headSizes(options));
    if (this.#score.scale === undefined) checkNoProduct(this.#score.name, options, position);
    if (qkNorm) {
      this.#norms = {
        q: checkedNorm(qkNorm(params.at('qNorm'), (across ? heads : 1) * headDim)),
        k: checkedNorm(qkNorm(params.at('kNorm'), (across ? kvHeads : 1) * headDim)),
      };
    }
    if (options.sinks) this.#sinks = params.get('sinks', [heads], initializers.zeros);
    this.#out = new Linear(params.at('outProj'), {
      in: heads * headDim,
      out: options.outDim ?? options.dim,
      bias: hasBias(options.bias, 'out'),
      layout: options.layout,
      init: options.outInit,
    });
  }

  /** What products are multiplied by. */
  get scale(): number | undefined {
    return this.#options.scale ?? this.#score.scale;
  }

  /** Norms, taps and the score's own map of the queries. */
  prepare(projected: Projected, ctx?: ForwardContext): Projected {
    const path = this.#path;
    const norms = this.#norms;
    const q = tappedHeads(ctx, path, 'q', this.#normed(norms?.q, projected.q, ctx));
    const k = tappedHeads(ctx, path, 'k', this.#normed(norms?.k, projected.k, ctx));
    const v = tappedHeads(ctx, path, 'v', projected.v);
    const changed = this.#score.queries?.(q.headsFirst());
    return { q: changed ? Heads.of(changed) : q, k, v };
  }

  /** A norm of each head's channels, or of all heads of a token. */
  #normed(norm: Layer | undefined, x: Heads, ctx: ForwardContext | undefined): Heads {
    if (!norm || !this.#options.qkNormAcross) return normed(norm, x, ctx);
    const [batch, heads, tokens] = x.shape;
    const merged = x.tokensFirst().reshape([batch, tokens, -1]);
    return headsIn(norm.forward(merged, ctx), heads);
  }

  /**
   * Attends and projects the heads back, `[B, Tq, outDim]`.
   *
   * @param placed queries, keys and values, and what positions do to them and to scores
   * @param seen `[B, Tk]`, 1 where there is a token, 0 at padding
   * @param cache gets the keys and values, which are then those of new tokens
   */
  attend(
    { q, k, v, turn, ...position }: Projected & Placement,
    seen: tf.Tensor | undefined,
    ctx?: ForwardContext,
    cache?: KeyValueCache,
  ): tf.Tensor {
    const path = this.#path;
    const given = this.#given(position, seen, ctx);
    const told = inPass(given);
    const attended = cache
      ? cache.attendHeads(path, { q, k, v }, { ...told, turn, lengths: ctx?.lengths })
      : attendTurned({ q, k, v }, turn, told);
    const heads = tappedHeads(ctx, path, 'heads', attended).tokensFirst(); // [B, Tq, H, Dh]
    const [batch, queries] = heads.shape as [number, number];
    const merged = heads.reshape([batch, queries, -1]);
    return tapped(ctx, path, 'out', this.#out.forward(merged, ctx));
  }

  /** What attention is told: of this layer, of positions, and of padding. */
  #given(
    { mods = [], term }: Pick<Placement, 'mods' | 'term'>,
    seen: tf.Tensor | undefined,
    ctx: ForwardContext | undefined,
  ): AttendOptions & { path: string } {
    const { mask = masks.none, dropout } = this.#options;
    const all = [...mods, ...(this.#options.mods ?? [])];
    return {
      mask: [
        mask,
        ...(seen ? [masks.padding(seen)] : []),
        ...(ctx?.documents ? [masks.documents(ctx.documents)] : []),
      ].reduce((all, next) => masks.and(all, next)),
      mods: all.length > 0 ? all : undefined,
      scale: this.scale,
      term: term ?? this.#score.term,
      sinks: this.#sinks,
      ctx,
      path: this.#path,
      dropout,
    };
  }
}

/**
 * A norm of each head's channels, where the heads lie. Other heads of their tensor are normalised beside them, and nothing reads those: that moves less
 * memory than taking the heads out of the tensor, and their gradients back into it.
 */
const normed = (norm: Layer | undefined, x: Heads, ctx: ForwardContext | undefined): Heads =>
  norm ? x.in(norm.forward(x.tensor, ctx)) : x;

/** Shows heads to a tap that wants them, `[B, H, T, Dh]`; the others stay where they lie. */
function tappedHeads(ctx: ForwardContext | undefined, path: string, name: string, x: Heads): Heads {
  if (!isTapped(ctx, path, name)) return x;
  const shown = x.headsFirst();
  const given = tapped(ctx, path, name, shown);
  return given === shown ? x : Heads.of(given);
}

/** Attention to the same tokens, after rotation. */
function attendTurned(
  projected: Projected,
  turn: RotaryTables | undefined,
  options: LayerAttentionOptions,
): Heads {
  const { q, k, v } = turn && projected.q.size > 0 ? turnHeads(projected, turn) : projected;
  return layerAttention(q, k, v, options);
}

function checkNoProduct(
  name: string,
  { scale }: AttentionLayerOptions,
  position: AttentionPosition | undefined,
): void {
  if (scale !== undefined) {
    throw new InputError(
      `attention: the score '${name}' is not a product; got a scale of ${scale}`,
    );
  }
  if (position?.needsProduct) {
    throw new InputError(
      `attention: the score '${name}' is not a product of queries and keys, which '${position.name}' positions work on`,
    );
  }
}
