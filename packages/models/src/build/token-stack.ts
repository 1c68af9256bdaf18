import { type EncoderContext, type Layer, type ParamStore, tapped } from '@headwise/core';
import type { AdaptiveEmbedding, Embedding } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfiguration } from './model-configuration.js';
import { makeStack } from './stack.js';
import { makeStackInput } from './stack-input.js';

/**
 * Everything of a model of one stack but its head: embeddings, positions, blocks and the last norm.
 *
 * Parameters: `tokens`, or those of patches, `positions`, `embeddingNorm`, `blocks.0` …, `norm`, as far as the configuration has
 * them. Taps: `embedded` and `final`, the input of the first block and the output of the last norm, `[B, T, D]`.
 */
export class TokenStack {
  /** Absent where patches of pictures take the place of tokens. */
  readonly tokens: Embedding | AdaptiveEmbedding | undefined;
  readonly #input: Layer;
  readonly #blocks: Layer;

  constructor(params: ParamStore, config: ModelConfiguration) {
    const { input, tokens } = makeStackInput(params, config);
    this.#input = input;
    this.tokens = tokens;
    this.#blocks = makeStack(params, config);
  }

  /** @param ids `[B, T]`, int32, the tokens that follow those in `ctx.cache`; or pictures `[B, H, W, C]` @returns `[B, T, D]` */
  forward(ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor {
    return tf.tidy(() => {
      const x = tapped(ctx, '', 'embedded', this.#input.forward(ids, ctx));
      return tapped(ctx, '', 'final', this.#blocks.forward(x, ctx));
    });
  }
}
