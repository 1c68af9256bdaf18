import { type ForwardContext, type Layer, tapped } from '@headwise/core';
import { addAndNorm } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import type { BlockParts } from './pre-norm-block.js';

/**
 * A transformer block that normalises after each part: `h = norm₁(x + mix(x))`, `y = norm₂(h + mlp(h))`.
 *
 * Taps: `mid` and `resid`, what each norm gives, `[B, T, D]`.
 *
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
 */
export class PostNormBlock implements Layer {
  readonly #parts: BlockParts;

  constructor(parts: BlockParts) {
    this.#parts = parts;
  }

  /** @param x `[B, T, D]` @returns `[B, T, D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { norm1, mix, norm2, mlp, dropout, path = '' } = this.#parts;
    const drop = (y: tf.Tensor) => dropout?.forward(y, ctx) ?? y;
    return tf.tidy(() => {
      const mixed = addAndNorm(norm1, x, drop(mix.forward(x, ctx)), ctx).y;
      const mid = tapped(ctx, path, 'mid', mixed);
      const y = addAndNorm(norm2, mid, drop(mlp.forward(mid, ctx)), ctx).y;
      return tapped(ctx, path, 'resid', y);
    });
  }
}
