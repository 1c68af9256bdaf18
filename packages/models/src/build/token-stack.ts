import { type EncoderContext, type Layer, type ParamStore, tapped } from '@headwise/core';
import type { AdaptiveEmbedding, Embedding } from '@headwise/layers';
import { Decoder } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import { makeBlock } from './blocks.js';
import { makeDropout, makeNorm } from './layers.js';
import type { ModelConfiguration } from './model-configuration.js';
import { PatchInput } from './patch-input.js';
import { makeAttentionPosition } from './positions.js';
import { makeTokens, TokenInput } from './token-input.js';

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
  readonly #dropout: Layer | undefined;

  constructor(params: ParamStore, config: ModelConfiguration) {
    const { layers, block, sharedBlocks = [], finalNorm = block !== 'post-norm' } = config;
    const patches = config.embedding?.patches;
    if (patches) this.#input = new PatchInput(params, config, patches);
    else {
      this.tokens = makeTokens(params.at('tokens'), config);
      this.#input = new TokenInput(params, config, this.tokens);
    }
    const positionOf = makeAttentionPosition(params.at('positions'), config);
    this.#blocks = new Decoder({
      blocks: Array.from({ length: layers }, (_, i) =>
        makeBlock(params.at('blocks').at(sharedBlocks[i] ?? i, i), config, i, positionOf),
      ),
      norm: finalNorm ? makeNorm(params.at('norm'), config) : undefined,
    });
    this.#dropout = makeDropout(config.finalDropout);
  }

  /** @param ids `[B, T]`, int32, the tokens that follow those in `ctx.cache`; or pictures `[B, H, W, C]` @returns `[B, T, D]` */
  forward(ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor {
    return tf.tidy(() => {
      const x = tapped(ctx, '', 'embedded', this.#input.forward(ids, ctx));
      const y = this.#blocks.forward(x, ctx);
      return tapped(ctx, '', 'final', this.#dropout?.forward(y, ctx) ?? y);
    });
  }
}
