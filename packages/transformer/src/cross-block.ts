import { type Encoded, type ForwardContext, type Layer, tapped } from '@headwise/core';
import { addAndNorm, addTo, besideNorm } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import { blockPath } from './block-parts.js';
import type { BlockParts } from './pre-norm-block.js';

/** Cross-attention from decoder tokens to encoder states. */
export interface CrossMixer {
  /** Where its parameters lie in the `ParamStore`. */
  readonly path?: string | undefined;
  /**
   * @param x `[B, Tq, D]`
   * @param states `[B, Tk, Dkv]`, what the encoder gave
   * @param attentionMask `[B, Tk]`, int32, 1 where `states` has a token; default all
   * @returns `[B, Tq, D]`
   */
  forward(
    x: tf.Tensor,
    states: tf.Tensor,
    ctx?: ForwardContext,
    attentionMask?: tf.Tensor,
  ): tf.Tensor;
}

/** A decoder block with cross-attention to encoder states. */
export interface CrossBlock {
  /** @param x `[B, Tq, D]` @param encoded of `[B, Tk, D]` @returns `[B, Tq, D]` */
  forward(x: tf.Tensor, encoded: Encoded, ctx?: ForwardContext): tf.Tensor;
}

/** The parts of a decoder block with cross-attention. */
export interface CrossBlockParts extends BlockParts {
  crossNorm: Layer;
  cross: CrossMixer;
}

/**
 * A decoder's block that normalises before each part:
 * `h = x + mix(norm₁(x))`, `c = h + cross(norm_c(h), e)`, `y = c + mlp(norm₂(c))`.
 *
 * Taps: `mid`, `crossed` and `resid`, the residual stream after each part, `[B, Tq, D]`.
 *
 * @see Raffel et al. 2020, https://arxiv.org/abs/1910.10683
 */
export class PreNormCrossBlock implements CrossBlock {
  readonly path: string;
  readonly #parts: CrossBlockParts;

  /** @throws InputError naming a part that is not a layer */
  constructor(parts: CrossBlockParts) {
    const { norm1, mix, crossNorm, cross, norm2, mlp, path } = parts;
    this.path = blockPath('PreNormCrossBlock', { norm1, mix, crossNorm, cross, norm2, mlp }, path);
    this.#parts = parts;
  }

  /** @param x `[B, Tq, D]` @param encoded of `[B, Tk, D]` @returns `[B, Tq, D]` */
  forward(x: tf.Tensor, encoded: Encoded, ctx?: ForwardContext): tf.Tensor {
    const { norm1, mix, crossNorm, cross, norm2, mlp, dropout } = this.#parts;
    const { path } = this;
    const drop = (y: tf.Tensor) => dropout?.forward(y, ctx) ?? y;
    const tap = (name: string) => (sum: tf.Tensor) => tapped(ctx, path, name, sum, this);
    return tf.tidy(() => {
      const { sum: stream, y: read } = besideNorm(norm1, x, ctx);
      const mixed = drop(mix.forward(read, ctx));
      const mid = addAndNorm(crossNorm, stream, mixed, ctx, tap('mid'));
      const seen = drop(cross.forward(mid.y, encoded.states, ctx, encoded.attentionMask));
      const crossed = addAndNorm(norm2, mid.sum, seen, ctx, tap('crossed'));
      const { sum, y: normed } = crossed;
      const y = dropout ? sum.add(drop(mlp.forward(normed, ctx))) : addTo(sum, mlp, normed, ctx);
      return tapped(ctx, path, 'resid', y, this);
    });
  }
}

/**
 * A decoder's block that normalises after each part:
 * `h = norm₁(x + mix(x))`, `c = norm_c(h + cross(h, e))`, `y = norm₂(c + mlp(c))`.
 *
 * Taps: `mid`, `crossed` and `resid`, what each norm gives, `[B, Tq, D]`.
 *
 * @see Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
 */
export class PostNormCrossBlock implements CrossBlock {
  readonly path: string;
  readonly #parts: CrossBlockParts;

  /** @throws InputError naming a part that is not a layer */
  constructor(parts: CrossBlockParts) {
    const { norm1, mix, crossNorm, cross, norm2, mlp, path } = parts;
    this.path = blockPath('PostNormCrossBlock', { norm1, mix, crossNorm, cross, norm2, mlp }, path);
    this.#parts = parts;
  }

  /** @param x `[B, Tq, D]` @param encoded of `[B, Tk, D]` @returns `[B, Tq, D]` */
  forward(x: tf.Tensor, encoded: Encoded, ctx?: ForwardContext): tf.Tensor {
    const { norm1, mix, crossNorm, cross, norm2, mlp, dropout } = this.#parts;
    const { path } = this;
    return tf.tidy(() => {
      const after = (norm: Layer, name: string, x: tf.Tensor, added: tf.Tensor) => {
        const dropped = dropout?.forward(added, ctx) ?? added;
        return tapped(ctx, path, name, addAndNorm(norm, x, dropped, ctx).y, this);
      };
      const mid = after(norm1, 'mid', x, mix.forward(x, ctx));
      const seen = cross.forward(mid, encoded.states, ctx, encoded.attentionMask);
      const crossed = after(crossNorm, 'crossed', mid, seen);
      return after(norm2, 'resid', crossed, mlp.forward(crossed, ctx));
    });
  }
}
