import {
  type ForwardContext,
  InputError,
  initializers,
  type Layer,
  type ParamStore,
  tapped,
} from '@headwise/core';
import type { KeyValueCache } from '@headwise/decoding';
import { masks } from '@headwise/kernels';
import { checkScoring } from '@headwise/kernels/internal';
import { Linear } from '@headwise/layers';
import type { AttentionPosition, Placed } from '@headwise/positions';
import type * as tf from '@tensorflow/tfjs';
import { type AttendOptions, attend, inPass } from './attend.js';
import { checkCoreParts, checkedNorm } from './check-parts.js';
import { headSizes, mergeHeads } from './heads.js';
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
    const { heads, headDim } = headSizes(options);
    const { score = scaledDotProductScore, qkNorm } = options;
    this.#path = params.path;
    this.#options = options;
    this.#score = score(params.at('score'), headSizes(options));
    if (this.#score.scale === undefined) checkNoProduct(this.#score.name, options, position);
    if (qkNorm) {
      this.#norms = {
        q: checkedNorm(qkNorm(params.at('qNorm'), headDim)),
        k: checkedNorm(qkNorm(params.at('kNorm'), headDim)),
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
    const q = tapped(ctx, path, 'q', norms?.q.forward(projected.q, ctx) ?? projected.q);
    const k = tapped(ctx, path, 'k', norms?.k.forward(projected.k, ctx) ?? projected.k);
    const v = tapped(ctx, path, 'v', projected.v);
    return { q: this.#score.queries?.(q) ?? q, k, v };
  }

  /**
   * Attends and projects the heads back, `[B, Tq, outDim]`.
   *
   * @param placed queries and keys with positions, and what those do to scores
   * @param seen `[B, Tk]`, 1 where there is a token, 0 at padding
   * @param cache gets the keys and values, which are then those of new tokens
   */
  attend(
    { q, k, turn, ...position }: Placed,
    v: tf.Tensor,
    seen: tf.Tensor | undefined,
    ctx?: ForwardContext,
    cache?: KeyValueCache,
  ): tf.Tensor {
    const path = this.#path;
    const given = this.#given(position, seen, ctx);
    const attended = cache
      ? cache.attend(path, q, k, v, { ...inPass(given), turn, lengths: ctx?.lengths })
      : attend(q, k, v, given);
    const heads = tapped(ctx, path, 'heads', attended);
    return tapped(ctx, path, 'out', this.#out.forward(mergeHeads(heads), ctx));
  }

  /** What attention is told: of this layer, of positions, and of padding. */
  #given(
    { mods = [], term }: Pick<Placed, 'mods' | 'term'>,
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
