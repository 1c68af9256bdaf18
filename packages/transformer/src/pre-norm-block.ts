import { type ForwardContext, type Layer, tapped } from '@headwise/core';
import { addAndNorm, addTo, besideNorm } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import { blockPath } from './block-parts.js';

/** The parts of a block; each maps `[B, T, D]` to `[B, T, D]`. */
export interface BlockParts {
  norm1: Layer;
  /** Moves information between tokens: attention. */
  mix: Layer;
  norm2: Layer;
  /** Works on each token alone: a feed-forward layer. */
  mlp: Layer;
  /** Applied to what is added to the residual stream. */
  dropout?: Layer | undefined;
  /** Names the taps `mid` and `resid`; default what the paths of the parts have in common. */
  path?: string | undefined;
}

/**
 * A transformer block that normalises before each part: `h = x + mix(norm₁(x))`, `y = h + mlp(norm₂(h))`.
 *
 * Taps: `mid` and `resid`, the residual stream after each part, `[B, T, D]`.
 *
 * @see Xiong et al. 2020, https://arxiv.org/abs/2002.04745
 */
export class PreNormBlock implements Layer {
  readonly path: string;
  readonly #parts: BlockParts;

  /** @throws InputError naming a part that is not a layer */
  constructor(parts: BlockParts) {
    const { norm1, mix, norm2, mlp, path } = parts;
    this.path = blockPath('PreNormBlock', { norm1, mix, norm2, mlp }, path);
    this.#parts = parts;
  }

  /** @param x `[B, T, D]` @returns `[B, T, D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { norm1, mix, norm2, mlp, dropout } = this.#parts;
    const { path } = this;
    const drop = (y: tf.Tensor) => dropout?.forward(y, ctx) ?? y;
    return tf.tidy(() => {
      const { sum: stream, y: read } = besideNorm(norm1, x, ctx);
      const mixed = drop(mix.forward(read, ctx));
      const { sum: mid, y: normed } = addAndNorm(norm2, stream, mixed, ctx, (sum) =>
        tapped(ctx, path, 'mid', sum, this),
      );
      const y = dropout ? mid.add(drop(mlp.forward(normed, ctx))) : addTo(mid, mlp, normed, ctx);
      return tapped(ctx, path, 'resid', y, this);
    });
  }
}
