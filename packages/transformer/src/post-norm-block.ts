import { type ForwardContext, type Layer, tapped } from '@headwise/core';
import { addAndNorm } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import { blockPath } from './block-parts.js';
import type { BlockParts } from './pre-norm-block.js';

/**
 * A transformer block that normalises after each part: `h = norm₁(x + mix(x))`, `y = norm₂(h + mlp(h))`.
 *
 * Taps: `mid` and `resid`, what each norm gives, `[B, T, D]`.
 *
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
 */
export class PostNormBlock implements Layer {
  readonly path: string;
  readonly #parts: BlockParts;

  /** @throws InputError naming a part that is not a layer */
  constructor(parts: BlockParts) {
    const { norm1, mix, norm2, mlp, path } = parts;
    this.path = blockPath('PostNormBlock', { norm1, mix, norm2, mlp }, path);
    this.#parts = parts;
  }

  /** @param x `[B, T, D]` @returns `[B, T, D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { norm1, mix, norm2, mlp, dropout } = this.#parts;
    const { path } = this;
    const drop = (y: tf.Tensor) => dropout?.forward(y, ctx) ?? y;
    return tf.tidy(() => {
      const mixed = addAndNorm(norm1, x, drop(mix.forward(x, ctx)), ctx).y;
      const mid = tapped(ctx, path, 'mid', mixed, this);
      const y = addAndNorm(norm2, mid, drop(mlp.forward(mid, ctx)), ctx).y;
      return tapped(ctx, path, 'resid', y, this);
    });
  }
}
