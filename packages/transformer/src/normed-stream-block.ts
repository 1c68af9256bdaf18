import { type ForwardContext, type Layer, tapped } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { blockPath } from './block-parts.js';
import type { BlockParts } from './pre-norm-block.js';

/**
 * A transformer block that adds to what its norms give: `n = norm₁(x)`, `m = norm₂(n + mix(n))`, `y = m + mlp(m)`.
 *
 * BLOOM's, where `apply_residual_connection_post_layernorm` is set. Taps: `mid`, the sum before the
 * second norm, and `resid`, the output, `[B, T, D]`.
 */
export class NormedStreamBlock implements Layer {
  readonly path: string;
  readonly #parts: BlockParts;

  /** @throws InputError naming a part that is not a layer */
  constructor(parts: BlockParts) {
    const { norm1, mix, norm2, mlp, path } = parts;
    this.path = blockPath('NormedStreamBlock', { norm1, mix, norm2, mlp }, path);
    this.#parts = parts;
  }

  /** @param x `[B, T, D]` @returns `[B, T, D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { norm1, mix, norm2, mlp, dropout } = this.#parts;
    const { path } = this;
    const drop = (y: tf.Tensor) => dropout?.forward(y, ctx) ?? y;
    return tf.tidy(() => {
      const normed = norm1.forward(x, ctx);
      const mid = tapped(ctx, path, 'mid', normed.add(drop(mix.forward(normed, ctx))), this);
      const middle = norm2.forward(mid, ctx);
      return tapped(ctx, path, 'resid', middle.add(drop(mlp.forward(middle, ctx))), this);
    });
  }
}
