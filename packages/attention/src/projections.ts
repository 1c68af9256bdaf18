import { checkShape, type ForwardContext, InputError, type ParamStore } from '@headwise/core';
import { Linear } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';

/** Queries, keys and values of every head, `[B, H, T, Dh]` each. */
export interface Projected {
  q: tf.Tensor;
  k: tf.Tensor;
  v: tf.Tensor;
}

/** Makes queries, keys and values from the tokens, `[B, T, D]`. */
export interface Projection {
  project(x: tf.Tensor, ctx?: ForwardContext): Projected;
}

export interface ProjectionOptions {
  /** `D`, divisible by `heads`. */
  dim: number;
  heads: number;
  /** Default true. */
  bias?: boolean | undefined;
}

/** A class of projections, to be made by the layer that uses it. */
export type ProjectionKind = new (params: ParamStore, options: ProjectionOptions) => Projection;

/**
 * The width of a head.
 *
 * @throws InputError unless `heads` is a positive number that divides `dim`
 */
export function headWidth({ dim, heads }: ProjectionOptions): number {
  if (!(heads > 0 && Number.isInteger(heads) && Number.isInteger(dim / heads))) {
    throw new InputError(`attention: dim ${dim} is not divisible by heads ${heads}`);
  }
  return dim / heads;
}

/**
 * One linear map to queries, keys and values side by side, as in GPT-2.
 *
 * Parameters: `qkv.weight` `[D, 3 D]`, `qkv.bias` `[3 D]`.
 */
export class FusedProjection implements Projection {
  readonly #qkv: Linear;
  readonly #dim: number;
  readonly #heads: number;
  readonly #headDim: number;

  constructor(params: ParamStore, options: ProjectionOptions) {
    const { dim, heads, bias = true } = options;
    this.#dim = dim;
    this.#heads = heads;
    this.#headDim = headWidth(options);
    this.#qkv = new Linear(params.at('qkv'), { in: dim, out: 3 * dim, bias });
  }

  project(x: tf.Tensor, ctx?: ForwardContext): Projected {
    checkShape('attention: x', x.shape, ['B', 'T', this.#dim]);
    const [batch, length] = x.shape as [number, number, number];
    // Four axes, not five: the wasm backend moves five of them forty times slower.
    return tf.tidy(() => {
      const heads = this.#qkv
        .forward(x, ctx)
        .reshape([batch, length, 3 * this.#heads, this.#headDim])
        .transpose([0, 2, 1, 3]); // [B, 3 H, T, Dh]
      const [q, k, v] = heads.split(3, 1);
      return { q: q!, k: k!, v: v! };
    });
  }
}

/**
 * A linear map each to queries, keys and values.
 *
 * Parameters: `qProj`, `kProj` and `vProj`, linear maps `[D, D]`.
 */
export class SeparateProjection implements Projection {
  readonly #maps: { q: Linear; k: Linear; v: Linear };
  readonly #dim: number;
  readonly #heads: number;
  readonly #headDim: number;

  constructor(params: ParamStore, options: ProjectionOptions) {
    const { dim, heads, bias = true } = options;
    this.#dim = dim;
    this.#heads = heads;
    this.#headDim = headWidth(options);
    const map = (name: string) => new Linear(params.at(name), { in: dim, out: dim, bias });
    this.#maps = { q: map('qProj'), k: map('kProj'), v: map('vProj') };
  }

  project(x: tf.Tensor, ctx?: ForwardContext): Projected {
    checkShape('attention: x', x.shape, ['B', 'T', this.#dim]);
    const [batch, length] = x.shape as [number, number, number];
    const heads = (map: Linear) =>
      tf.tidy(() =>
        map
          .forward(x, ctx)
          .reshape([batch, length, this.#heads, this.#headDim])
          .transpose([0, 2, 1, 3]),
      ); // [B, H, T, Dh]
    return { q: heads(this.#maps.q), k: heads(this.#maps.k), v: heads(this.#maps.v) };
  }
}
