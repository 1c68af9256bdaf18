import { checkShape, type EncoderContext, type Layer, type ParamStore } from '@headwise/core';
import { AdaptiveEmbedding, Embedding } from '@headwise/layers';
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
  const { vocabSize, dim, embedding = {} } = config;
  const { padId } = embedding;
  const table = { count: vocabSize, dim, padId, init: initializersOf(config).table };
  return embedding.adaptive
    ? new AdaptiveEmbedding(params, { ...table, ...embedding.adaptive })
    : new Embedding(params, table);
}

/**
 * Maps ids to the input of the first block: look-up, scale, token types, positions, norm, dropout.
 *
 * Parameters: `tokenTypes`, `positions` and `embeddingNorm`, as far as the configuration has them.
 */
export class TokenInput implements Layer {
  readonly #tokens: Layer;
  readonly #scale: number;
  readonly #types: Embedding | undefined;
  readonly #positions: TokenPosition | undefined;
  readonly #norm: Layer | undefined;
  readonly #dropout: Layer | undefined;

  constructor(params: ParamStore, config: ModelConfiguration, tokens: Layer) {
    const { dim, embedding = {} } = config;
    const { tokenTypes: count } = embedding;
    const { table: init } = initializersOf(config);
    this.#tokens = tokens;
    this.#scale = embedding.scale ?? 1;
    this.#types =
      count === undefined
        ? undefined
        : new Embedding(params.at('tokenTypes'), { name: 'token type', count, dim, init });
    this.#positions = makeInputPosition(params.at('positions'), config);
    this.#norm = embedding.norm ? makeNorm(params.at('embeddingNorm'), config) : undefined;
    this.#dropout = makeDropout(embedding.dropout);
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
      return this.#dropout?.forward(normed, ctx) ?? normed;
    });
  }
}
