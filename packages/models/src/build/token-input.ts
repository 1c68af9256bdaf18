import type { ForwardContext, Layer, ParamStore } from '@headwise/core';
import { AdaptiveEmbedding, Embedding } from '@headwise/layers';
import type { InputPosition } from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';
import type { ModelConfiguration } from './model-configuration.js';
import { initializers, makeDropout, makeNorm } from './parts.js';
import { makeInputPosition } from './positions.js';

/** The table of tokens that a configuration names. */
export function makeTokens(
  params: ParamStore,
  config: ModelConfiguration,
): Embedding | AdaptiveEmbedding {
  const { vocabSize, dim, embedding = {} } = config;
  const { padId } = embedding;
  const table = { count: vocabSize, dim, padId, init: initializers(config).init };
  return embedding.adaptive
    ? new AdaptiveEmbedding(params, { ...table, ...embedding.adaptive })
    : new Embedding(params, table);
}

/**
 * From ids to what the first block gets: look-up, scale, positions, norm, dropout.
 *
 * Parameters: `positions` and `embeddingNorm`, as far as the configuration has them.
 */
export class TokenInput implements Layer {
  readonly #tokens: Layer;
  readonly #scale: number;
  readonly #positions: InputPosition | undefined;
  readonly #norm: Layer | undefined;
  readonly #dropout: Layer | undefined;

  constructor(params: ParamStore, config: ModelConfiguration, tokens: Layer) {
    const { embedding = {} } = config;
    this.#tokens = tokens;
    this.#scale = embedding.scale ?? 1;
    this.#positions = makeInputPosition(params.at('positions'), config);
    this.#norm = embedding.norm ? makeNorm(params.at('embeddingNorm'), config) : undefined;
    this.#dropout = makeDropout(embedding.dropout);
  }

  /** @param ids `[B, T]`, int32, the tokens that follow those in `ctx.cache` @returns `[B, T, D]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const tokens = this.#tokens.forward(ids, ctx); // [B, T, D]
      const scaled = this.#scale === 1 ? tokens : tokens.mul(this.#scale);
      const placed = this.#positions?.forward(scaled, ctx) ?? scaled;
      const normed = this.#norm?.forward(placed, ctx) ?? placed;
      return this.#dropout?.forward(normed, ctx) ?? normed;
    });
  }
}
