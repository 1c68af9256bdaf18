import { type ForwardContext, type Layer, tapped } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { blockPath } from './block-parts.js';

/** The parts of a parallel block; each maps `[B, T, D]` to `[B, T, D]`. */
export interface ParallelBlockParts {
  norm1: Layer;
  /** Moves information between tokens: attention. */
  mix: Layer;
  /** What the feed-forward layer reads instead of the first norm's output, as in Falcon 40B. */
  norm2?: Layer | undefined;
  /** Works on each token alone: a feed-forward layer. */
  mlp: Layer;
  /** Applied to what is added to the residual stream. */
  dropout?: Layer | undefined;
  /** Names the tap `resid`; default what the paths of the parts have in common. */
  path?: string | undefined;
}

/**
 * A transformer block whose parts read the same input: `y = x + mix(norm₁(x)) + mlp(norm₁(x))`.
 *
 * With a second norm the feed-forward layer reads `norm₂(x)`. Taps: `resid`, the residual stream after
 * the block, `[B, T, D]`.
 *
 * @see Wang and Komatsuzaki 2021 (GPT-J); Almazrouei et al. 2023, https://arxiv.org/abs/2311.16867
 */
export class ParallelBlock implements Layer {
  readonly path: string;
  readonly #parts: ParallelBlockParts;

  /** @throws InputError naming a part that is not a layer */
  constructor(parts: ParallelBlockParts) {
    const { norm1, mix, norm2, mlp, path } = parts;
    this.path = blockPath('ParallelBlock', { norm1, mix, mlp, ...(norm2 && { norm2 }) }, path);
    this.#parts = parts;
  }

  /** @param x `[B, T, D]` @returns `[B, T, D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    const { norm1, mix, norm2, mlp, dropout } = this.#parts;
    const { path } = this;
    return tf.tidy(() => {
      const normed = norm1.forward(x, ctx);
      const mixed = mix.forward(normed, ctx);
      const added = mixed.add(mlp.forward(norm2?.forward(x, ctx) ?? normed, ctx));
      return tapped(ctx, path, 'resid', x.add(dropout?.forward(added, ctx) ?? added), this);
    });
  }
}
