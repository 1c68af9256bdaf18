import {
  type EncoderModel,
  type ForwardContext,
  type LanguageModel,
  type Layer,
  type MatrixHead,
  type ParamStore,
  tapped,
} from '@headwise/core';
import { Embedding, Linear } from '@headwise/layers';
import type { InputPosition } from '@headwise/positions';
import { Decoder } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import type { ClassificationHead, ModelConfiguration } from './configuration.js';
import {
  initializers,
  makeAttentionPosition,
  makeBlock,
  makeDropout,
  makeInputPosition,
  makeNorm,
} from './parts.js';

/**
 * Everything of a decoder but its head: embeddings, positions, blocks and the last norm.
 *
 * Parameters: `tokens`, `positions`, `embeddingNorm`, `blocks.0` …, `norm`, as far as the configuration has
 * them. Taps: `embedded` and `final`, what the blocks get and what the last norm gives, `[B, T, D]`.
 */
export class DecoderStack {
  readonly tokens: Embedding;
  readonly #scale: number;
  readonly #positions: InputPosition | undefined;
  readonly #norm: Layer | undefined;
  readonly #dropout: Layer | undefined;
  readonly #decoder: Decoder;

  constructor(params: ParamStore, config: ModelConfiguration) {
    const { vocabSize, dim, embedding = {}, layers, block } = config;
    const { init } = initializers(config);
    this.tokens = new Embedding(params.at('tokens'), { count: vocabSize, dim, init });
    this.#scale = embedding.scale ?? 1;
    this.#positions = makeInputPosition(params.at('positions'), config);
    this.#norm = embedding.norm ? makeNorm(params.at('embeddingNorm'), config) : undefined;
    this.#dropout = makeDropout(embedding.dropout);
    const position = makeAttentionPosition(params.at('positions'), config);
    this.#decoder = new Decoder({
      blocks: Array.from({ length: layers }, (_, i) =>
        makeBlock(params.at('blocks').at(i), config, i, position),
      ),
      norm: block === 'post-norm' ? undefined : makeNorm(params.at('norm'), config),
    });
  }

  /** @param ids `[B, T]`, int32, the tokens that follow those in `ctx.cache` @returns `[B, T, D]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const tokens = this.tokens.forward(ids, ctx); // [B, T, D]
      const scaled = this.#scale === 1 ? tokens : tokens.mul(this.#scale);
      const placed = this.#positions?.forward(scaled, ctx) ?? scaled;
      const normed = this.#norm?.forward(placed, ctx) ?? placed;
      const x = tapped(ctx, '', 'embedded', this.#dropout?.forward(normed, ctx) ?? normed);
      return tapped(ctx, '', 'final', this.#decoder.forward(x, ctx));
    });
  }
}

/** A decoder with a head that scores the next token: a matrix of its own, or the embeddings' again. */
export class DecoderModel implements LanguageModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly head: MatrixHead;
  readonly #stack: DecoderStack;
  readonly #scores: (x: tf.Tensor, ctx?: ForwardContext) => tf.Tensor;

  constructor(params: ParamStore, config: ModelConfiguration, { tied }: { tied: boolean }) {
    const { vocabSize, dim } = config;
    const { init } = initializers(config);
    this.vocabSize = vocabSize;
    this.maxLength = config.maxLength;
    const stack = new DecoderStack(params, config);
    this.#stack = stack;
    if (tied) {
      this.#scores = (x) => stack.tokens.scores(x);
    } else {
      const options = { in: dim, out: vocabSize, bias: false, layout: 'out-in', init } as const;
      const head = new Linear(params.at('head'), options);
      this.#scores = (x, ctx) => head.forward(x, ctx);
    }
    const weight = params.at(tied ? 'tokens' : 'head').get('weight', [vocabSize, dim], init);
    this.head = {
      weight: weight as unknown as tf.Tensor2D,
      hidden: (ids, ctx) => stack.forward(ids, ctx),
    };
  }

  /** @param ids `[B, T]`, int32 @returns logits `[B, T, V]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const hidden = this.#stack.forward(ids, ctx);
      return tapped(ctx, '', 'logits', this.#scores(hidden, ctx));
    });
  }
}

/** A decoder with the head that a configuration names. */
export function buildDecoder(
  params: ParamStore,
  config: ModelConfiguration,
): LanguageModel | EncoderModel {
  const { head } = config;
  return head.kind === 'language-model'
    ? new DecoderModel(params, config, head)
    : new SequenceClassifier(params, config, head);
}

/** A decoder whose last token of each sequence says what the sequence is. */
class SequenceClassifier implements EncoderModel<{ logits: tf.Tensor }> {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly #stack: DecoderStack;
  readonly #scores: Linear;
  readonly #padId: number | undefined;

  constructor(params: ParamStore, config: ModelConfiguration, head: ClassificationHead) {
    this.vocabSize = config.vocabSize;
    this.maxLength = config.maxLength;
    this.#padId = head.padId;
    this.#stack = new DecoderStack(params, config);
    this.#scores = new Linear(params.at('score'), {
      in: config.dim,
      out: head.labels,
      bias: false,
      layout: 'out-in',
      init: initializers(config).init,
    });
  }

  encode(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return this.#stack.forward(ids, ctx);
  }

  /** @param ids `[B, T]`, int32 @returns logits `[B, labels]` of the last id that is no padding */
  forward(ids: tf.Tensor, ctx?: ForwardContext): { logits: tf.Tensor } {
    return tf.tidy(() => {
      const length = ids.shape[1]!;
      const places = tf.range(0, length, 1, 'int32').expandDims(0); // [1, T]
      const padId = this.#padId;
      const tokens = padId === undefined ? tf.onesLike(ids) : ids.notEqual(padId).toInt();
      const last = tf.oneHot(places.mul(tokens).argMax(1), length).toFloat(); // [B, T]
      const chosen = this.encode(ids, ctx).mul(last.expandDims(-1)).sum(1); // [B, D]
      return { logits: tapped(ctx, '', 'logits', this.#scores.forward(chosen, ctx)) };
    });
  }
}
