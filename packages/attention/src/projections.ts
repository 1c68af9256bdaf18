import {
  checkShape,
  type ForwardContext,
  type Initializer,
  InputError,
  type ParamStore,
} from '@headwise/core';
import type { MatrixLayout } from '@headwise/core/internal';
import { Heads } from '@headwise/kernels';
import { Linear } from '@headwise/layers';
import type * as tf from '@tensorflow/tfjs';
import { type HeadOptions, type HeadSizes, headSizes, headsIn } from './heads.js';

/** Queries `[B, H, T, Dh]`, keys and values `[B, Hkv, T, Dh]`, where they lie. */
export interface Projected {
  q: Heads;
  k: Heads;
  v: Heads;
}

/** Projects tokens `[B, T, D]` to queries, keys and values. */
export interface Projection {
  /** @returns `[B, H, T, Dh]` and `[B, Hkv, T, Dh]`: tensors, or heads in tensors, which are not copied */
  project(x: tf.Tensor, ctx?: ForwardContext): Record<'q' | 'k' | 'v', tf.Tensor | Heads>;
}

/** Projects tokens `[B, Tq, D]` to queries, and those that are looked at, `[B, Tk, Dkv]`, to keys and values. */
export interface CrossProjection {
  /** @returns `[B, H, Tq, Dh]` */
  queries(x: tf.Tensor, ctx?: ForwardContext): Heads;
  /** @returns `[B, Hkv, Tk, Dh]` each */
  keysAndValues(source: tf.Tensor, ctx?: ForwardContext): Record<'k' | 'v', Heads>;
}

/** The projections that have a bias; default all. */
export type Biases = boolean | { readonly [map in 'q' | 'k' | 'v' | 'out']?: boolean | undefined };

export interface ProjectionOptions extends HeadOptions {
  /** Default true. */
  bias?: Biases | undefined;
  /** How the weights lie in memory; default `in-out`. */
  layout?: MatrixLayout | undefined;
  /** How the weights of queries, keys and values start; default normal with standard deviation 0.02. */
  init?: Initializer | undefined;
  /** How those of queries start, where they have a matrix of their own; default `init`. */
  queryInit?: Initializer | undefined;
}

/** The class of a projection; the attention layer constructs it. */
export type ProjectionKind = new (params: ParamStore, options: ProjectionOptions) => Projection;

/** The class of a projection of two sequences; cross-attention constructs it. */
export type CrossProjectionKind = new (
  params: ParamStore,
  options: ProjectionOptions,
) => CrossProjection;

/** Whether one of attention's maps adds a bias. */
export const hasBias = (bias: Biases | undefined, map: 'q' | 'k' | 'v' | 'out'): boolean =>
  typeof bias === 'object' ? (bias[map] ?? true) : (bias ?? true);

/**
 * One linear map to queries, keys and values side by side, head after head: all heads of queries,
 * then of keys, then of values, as in GPT-2.
 *
 * Parameters: `qkv.weight` `[D, (H + 2 Hkv) Dh]`, `qkv.bias` `[(H + 2 Hkv) Dh]`. A checkpoint that
 * interleaves them, as BLOOM's and Falcon's do, is put into this order when it is read.
 */
export class FusedProjection implements Projection {
  readonly #qkv: Linear;
  readonly #sizes: HeadSizes;

  /** @throws InputError where keys come from another width, or where only some of the maps have a bias */
  constructor(params: ParamStore, options: ProjectionOptions) {
    this.#sizes = headSizes(options);
    const { dim, heads, kvHeads, headDim, kvDim } = this.#sizes;
    if (kvDim !== dim) {
      throw new InputError(
        `attention: one map cannot make queries of width ${dim} and keys of width ${kvDim}; expected SeparateProjection`,
      );
    }
    const [bias, k, v] = (['q', 'k', 'v'] as const).map((map) => hasBias(options.bias, map));
    if (bias !== k || bias !== v) {
      throw new InputError(
        `attention: one map has a bias or none; got q ${bias}, k ${k}, v ${v}; expected SeparateProjection`,
      );
    }
    const parts = [heads, kvHeads, kvHeads].map((count) => count * headDim);
    const out = (heads + 2 * kvHeads) * headDim;
    const { layout, init } = options;
    this.#qkv = new Linear(params.at('qkv'), { in: dim, out, bias, layout, init, parts });
  }

  project(x: tf.Tensor, ctx?: ForwardContext): Projected {
    const { dim, heads, kvHeads } = this.#sizes;
    checkShape('attention: x', x.shape, ['B', 'T', dim]);
    const all = headsIn(this.#qkv.forward(x, ctx), heads + 2 * kvHeads).tensor;
    return {
      q: Heads.ofTokens(all, 0, heads),
      k: Heads.ofTokens(all, heads, kvHeads),
      v: Heads.ofTokens(all, heads + kvHeads, kvHeads),
    };
  }
}

/**
 * A linear map each to queries, keys and values.
 *
 * Parameters: the linear maps `qProj` `[D, H Dh]`, `kProj` and `vProj` `[Dkv, Hkv Dh]`.
 */
export class SeparateProjection implements Projection, CrossProjection {
  readonly #maps: { q: Linear; k: Linear; v: Linear };
  readonly #sizes: HeadSizes;

  constructor(params: ParamStore, options: ProjectionOptions) {
    this.#sizes = headSizes(options);
    const { dim, heads, kvHeads, headDim, kvDim } = this.#sizes;
    const { layout, init, queryInit = init } = options;
    const map = (name: 'q' | 'k' | 'v', width: number, count: number) =>
      new Linear(params.at(`${name}Proj`), {
        in: width,
        out: count * headDim,
        bias: hasBias(options.bias, name),
        layout,
        init: name === 'q' ? queryInit : init,
      });
    this.#maps = {
      q: map('q', dim, heads),
      k: map('k', kvDim, kvHeads),
      v: map('v', kvDim, kvHeads),
    };
  }

  project(x: tf.Tensor, ctx?: ForwardContext): Projected {
    return { q: this.queries(x, ctx), ...this.keysAndValues(x, ctx) };
  }

  /** @param x `[B, T, D]` @returns `[B, H, T, Dh]` */
  queries(x: tf.Tensor, ctx?: ForwardContext): Heads {
    const { dim, heads } = this.#sizes;
    checkShape('attention: x', x.shape, ['B', 'T', dim]);
    return headsIn(this.#maps.q.forward(x, ctx), heads);
  }

  /** @param source `[B, Tk, Dkv]` @returns `[B, Hkv, Tk, Dh]` each */
  keysAndValues(source: tf.Tensor, ctx?: ForwardContext): Record<'k' | 'v', Heads> {
    const { kvDim, kvHeads } = this.#sizes;
    checkShape('attention: source of keys', source.shape, ['B', 'Tk', kvDim]);
    const { k, v } = this.#maps;
    return {
      k: headsIn(k.forward(source, ctx), kvHeads),
      v: headsIn(v.forward(source, ctx), kvHeads),
    };
  }
}

/**
 * A linear map to queries, and one to keys and values side by side: all heads of keys, then of values, as in GPT-2's cross-attention.
 *
 * Parameters: the linear maps `qProj` `[D, H Dh]` and `kv` `[Dkv, 2 Hkv Dh]`.
 */
export class KeyValueProjection implements CrossProjection {
  readonly #queries: Linear;
  readonly #both: Linear;
  readonly #sizes: HeadSizes;

  /** @throws InputError where only one of keys and values has a bias */
  constructor(params: ParamStore, options: ProjectionOptions) {
    this.#sizes = headSizes(options);
    const { dim, heads, kvHeads, headDim, kvDim } = this.#sizes;
    const { layout, init, queryInit = init } = options;
    const [bias, k, v] = (['q', 'k', 'v'] as const).map((map) => hasBias(options.bias, map));
    if (k !== v) {
      throw new InputError(
        `attention: one map has a bias or none; got k ${k}, v ${v}; expected SeparateProjection`,
      );
    }
    const queries = { in: dim, out: heads * headDim, bias, layout, init: queryInit };
    this.#queries = new Linear(params.at('qProj'), queries);
    const part = kvHeads * headDim;
    const both = { in: kvDim, out: 2 * part, bias: k, layout, init, parts: [part, part] };
    this.#both = new Linear(params.at('kv'), both);
  }

  queries(x: tf.Tensor, ctx?: ForwardContext): Heads {
    const { dim, heads } = this.#sizes;
    checkShape('attention: x', x.shape, ['B', 'T', dim]);
    return headsIn(this.#queries.forward(x, ctx), heads);
  }

  keysAndValues(source: tf.Tensor, ctx?: ForwardContext): Record<'k' | 'v', Heads> {
    const { kvDim, kvHeads } = this.#sizes;
    checkShape('attention: source of keys', source.shape, ['B', 'Tk', kvDim]);
    const both = headsIn(this.#both.forward(source, ctx), 2 * kvHeads).tensor;
    return {
      k: Heads.ofTokens(both, 0, kvHeads),
      v: Heads.ofTokens(both, kvHeads, kvHeads),
    };
  }
}
