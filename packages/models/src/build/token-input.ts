import { checkShape, type EncoderContext, type Layer, type ParamStore } from '@headwise/core';
import { AdaptiveEmbedding, Embedding, Linear } from '@headwise/layers';
import type { TokenPosition } from '@headwise/positions/internal';
import * as tf from '@tensorflow/tfjs';
import { initializersOf } from './initializers.js';
import { makeDropout, makeNorm } from './layers.js';
import type { ModelConfiguration } from './model-configuration.js';
import { makeInputPosition } from './positions.js';

/** The table of tokens that a configuration names. */
export function makeTokens(
  params: ParamStore,
  config: ModelConfiguration,
): Embedding | AdaptiveEmbedding {
  const { vocabSize, embedding = {} } = config;
  const { padId, width: dim = config.dim } = embedding;
  const table = { count: vocabSize, dim, padId, init: initializersOf(config).table };
  return embedding.adaptive
    ? new AdaptiveEmbedding(params, { ...table, ...embedding.adaptive })
    : new Embedding(params, table);
}

/**
 * Maps ids to the input of the first block: look-up, scale, token types, positions, norm, dropout, and a linear map from
 * the width of the tables to the model's.
 *
 * Parameters: `tokenTypes`, `positions`, `embeddingNorm` and `embeddingProjection`, as far as the configuration has them.
 */
export class TokenInput implements Layer {
  readonly #tokens: Layer;
  readonly #scale: number;
  readonly #types: Embedding | undefined;
  readonly #positions: TokenPosition | undefined;
  readonly #norm: Layer | undefined;
  readonly #dropout: Layer | undefined;
  readonly #projection: Layer | undefined;

  constructor(params: ParamStore, config: ModelConfiguration, tokens: Layer) {
    const { embedding = {} } = config;
    const { tokenTypes: count, width, dropout } = embedding;
    const { table: init, matrix } = initializersOf(config);
    const dim = width ?? config.dim;
    this.#tokens = tokens;
    this.#scale = embedding.scale ?? 1;
    this.#types =
      count === undefined
        ? undefined
        : new Embedding(params.at('tokenTypes'), { name: 'token type', count, dim, init });
    this.#positions = makeInputPosition(params.at('positions'), { ...config, dim });
    this.#norm = embedding.norm ? makeNorm(params.at('embeddingNorm'), config, dim) : undefined;
    this.#dropout = makeDropout(dropout);
    if (width !== undefined) {
      const map = { in: width, out: config.dim, layout: config.layout, init: matrix(width) };
      this.#projection = new Linear(params.at('embeddingProjection'), map);
    }
  }

  /** @param ids `[B, T]`, int32, the tokens that follow those in `ctx.cache` @returns `[B, T, D]` */
  forward(ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor {
    const { tokenTypes } = ctx ?? {};
    if (tokenTypes) checkShape('tokenTypes', tokenTypes.shape, ids.shape);
    return tf.tidy(() => {
      const tokens = this.#tokens.forward(ids, ctx); // [B, T, D]
      const scaled = this.#scale === 1 ? tokens : tokens.mul(this.#scale);
      const types = this.#types?.forward(tokenTypes ?? tf.zeros([1, 1], 'int32'), ctx);
      const typed = types ? scaled.add(types) : scaled;
      const placed = this.#positions?.forward(typed, ids, ctx) ?? typed;
      const normed = this.#norm?.forward(placed, ctx) ?? placed;
      const dropped = this.#dropout?.forward(normed, ctx) ?? normed;
      return this.#projection?.forward(dropped, ctx) ?? dropped;
    });
  }
}
