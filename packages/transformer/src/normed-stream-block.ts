import { type ForwardContext, type Layer, tapped } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { BlockParts } from './pre-norm-block.js';

/**
 * A transformer block that adds to what its norms give: `n = norm₁(x)`, `m = norm₂(n + mix(n))`, `y = m + mlp(m)`.
 *
 * BLOOM's, where `apply_residual_connection_post_layernorm` is set. Taps: `mid`, the sum before the
 * second norm, and `resid`, the output, `[B, T, D]`.
 */
export class NormedStreamBlock implements Layer {
  readonly #parts: BlockParts;

  constructor(parts: BlockParts) {
    this.#parts = parts;
  }

  /** @param x `[B, T, D]` @returns `[B, T, D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { norm1, mix, norm2, mlp, dropout, path = '' } = this.#parts;
    const drop = (y: tf.Tensor) => dropout?.forward(y, ctx) ?? y;
    return tf.tidy(() => {
      const normed = norm1.forward(x, ctx);
      const mid = tapped(ctx, path, 'mid', normed.add(drop(mix.forward(normed, ctx))));
      const middle = norm2.forward(mid, ctx);
      return tapped(ctx, path, 'resid', middle.add(drop(mlp.forward(middle, ctx))));
    });
  }
}
