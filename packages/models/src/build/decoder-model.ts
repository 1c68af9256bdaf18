import {
  type EncoderModel,
  type ForwardContext,
  type LanguageModel,
  type MatrixHead,
  type ParamStore,
  tapped,
} from '@headwise/core';
import type { StepPlan, SteppedModel } from '@headwise/decoding';
import { type AdaptiveEmbedding, AdaptiveSoftmax, Embedding, Linear } from '@headwise/layers';
import { positionsFromMask } from '@headwise/positions';
import { Decoder } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import type {
  AdaptiveHead,
  ClassificationHead,
  ModelConfiguration,
} from './model-configuration.js';
import { initializers, makeBlock, makeNorm } from './parts.js';
import { makeAttentionPosition } from './positions.js';
import { makeStepPlan } from './step-plan.js';
import { makeTokens, TokenInput } from './token-input.js';

/**
 * Everything of a model of one stack but its head: embeddings, positions, blocks and the last norm.
 *
 * Parameters: `tokens`, `positions`, `embeddingNorm`, `blocks.0` …, `norm`, as far as the configuration has
 * them. Taps: `embedded` and `final`, what the blocks get and what the last norm gives, `[B, T, D]`.
 */
export class TokenStack {
  readonly tokens: Embedding | AdaptiveEmbedding;
  readonly #input: TokenInput;
  readonly #decoder: Decoder;

  constructor(params: ParamStore, config: ModelConfiguration) {
    const { layers, block, finalNorm = block !== 'post-norm' } = config;
    this.tokens = makeTokens(params.at('tokens'), config);
    this.#input = new TokenInput(params, config, this.tokens);
    const positionOf = makeAttentionPosition(params.at('positions'), config);
    this.#decoder = new Decoder({
      blocks: Array.from({ length: layers }, (_, i) =>
        makeBlock(params.at('blocks').at(i), config, i, positionOf),
      ),
      norm: finalNorm ? makeNorm(params.at('norm'), config) : undefined,
    });
  }

  /** @param ids `[B, T]`, int32, the tokens that follow those in `ctx.cache` @returns `[B, T, D]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const x = tapped(ctx, '', 'embedded', this.#input.forward(ids, ctx));
      return tapped(ctx, '', 'final', this.#decoder.forward(x, ctx));
    });
  }
}

/** A decoder with a head that scores the next token: a matrix of its own, or the embeddings' again. */
export class DecoderModel implements LanguageModel, SteppedModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly head: MatrixHead;
  readonly #scores: (x: tf.Tensor, ctx?: ForwardContext) => tf.Tensor;
  readonly #stepPlan: () => StepPlan | undefined;

  constructor(params: ParamStore, config: ModelConfiguration, { tied }: { tied: boolean }) {
    this.#stepPlan = () => makeStepPlan(params, config, { tied });
    const { vocabSize, dim } = config;
    const { init } = initializers(config);
    this.vocabSize = vocabSize;
    this.maxLength = config.maxLength;
    const stack = new TokenStack(params, config);
    const { tokens } = stack;
    const { kind } = config.position;
    const counted = kind === 'learned' || kind === 'sinusoidal' || kind === 'rotary';
    if (tied && tokens instanceof Embedding) {
      this.#scores = (x) => tokens.scores(x);
    } else {
      const options = { in: dim, out: vocabSize, bias: false, layout: 'out-in', init } as const;
      const head = new Linear(params.at('head'), options);
      this.#scores = (x, ctx) => head.forward(x, ctx);
    }
    const weight = params.at(tied ? 'tokens' : 'head').get('weight', [vocabSize, dim], init);
    this.head = {
      weight,
      ...(tied ? {} : { path: 'head' }),
      hidden: (ids, ctx) =>
        tf.tidy(() => stack.forward(ids, counted ? countingTokens(ids, ctx) : ctx)),
    };
  }

  /** Its token step, from the parameters as they are now; undefined where a part has no fused form. */
  stepPlan(): StepPlan | undefined {
    return this.#stepPlan();
  }

  /** @param ids `[B, T]`, int32 @returns logits `[B, T, V]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const hidden = this.head.hidden(ids, ctx);
      return tapped(ctx, '', 'logits', this.#scores(hidden, ctx));
    });
  }
}

/** The context with the positions that transformers' `generate` derives from a mask of padding. */
function countingTokens(
  ids: tf.Tensor,
  ctx: ForwardContext | undefined,
): ForwardContext | undefined {
  if (!ctx?.attentionMask || ctx.positions) return ctx;
  const positions = positionsFromMask(ctx.attentionMask, ids.shape[1]!);
  return positions ? { ...ctx, positions } : ctx;
}

/** A decoder with the head that a configuration names. */
export function buildDecoder(
  params: ParamStore,
  config: ModelConfiguration,
): LanguageModel | EncoderModel {
  const { head } = config;
  switch (head.kind) {
    case 'language-model':
      return new DecoderModel(params, config, head);
    case 'adaptive':
      return new AdaptiveDecoder(params, config, head);
    case 'none':
      return new HiddenStates(params, config);
    default:
      return new SequenceClassifier(params, config, head);
  }
}

/** A decoder whose rare tokens have narrow embeddings and a softmax of their own. */
class AdaptiveDecoder implements LanguageModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly #stack: TokenStack;
  readonly #softmax: AdaptiveSoftmax;

  constructor(params: ParamStore, config: ModelConfiguration, { tied }: AdaptiveHead) {
    this.vocabSize = config.vocabSize;
    this.maxLength = config.maxLength;
    this.#stack = new TokenStack(params, config);
    const { init } = initializers(config);
    const tokens = this.#stack.tokens as AdaptiveEmbedding;
    this.#softmax = new AdaptiveSoftmax(params.at('head'), tokens, { tied, init });
  }

  /** @param ids `[B, T]`, int32 @returns log-probabilities `[B, T, V]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const scores = this.#softmax.forward(this.#stack.forward(ids, ctx), ctx);
      return tapped(ctx, '', 'logits', scores);
    });
  }
}

/** A model without a head. */
export class HiddenStates implements EncoderModel<{ hidden: tf.Tensor }> {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly #stack: TokenStack;

  constructor(params: ParamStore, config: ModelConfiguration) {
    this.vocabSize = config.vocabSize;
    this.maxLength = config.maxLength;
    this.#stack = new TokenStack(params, config);
  }

  encode(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return this.#stack.forward(ids, ctx);
  }

  /** @param ids `[B, T]`, int32 @returns hidden states `[B, T, D]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): { hidden: tf.Tensor } {
    return { hidden: this.encode(ids, ctx) };
  }
}

/** A model one of whose tokens says what the sequence is: the last of a decoder, the first of an encoder. */
export class SequenceClassifier implements EncoderModel<{ logits: tf.Tensor }> {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly #stack: TokenStack;
  readonly #scores: Linear;
  readonly #padId: number | undefined;
  readonly #first: boolean;

  constructor(params: ParamStore, config: ModelConfiguration, head: ClassificationHead) {
    this.vocabSize = config.vocabSize;
    this.maxLength = config.maxLength;
    this.#padId = head.padId;
    this.#first = config.topology === 'encoder';
    this.#stack = new TokenStack(params, config);
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

  /** @param ids `[B, T]`, int32 @returns logits `[B, labels]` of the first id, or the last that is not padding */
  forward(ids: tf.Tensor, ctx?: ForwardContext): { logits: tf.Tensor } {
    return tf.tidy(() => {
      const hidden = this.encode(ids, ctx); // [B, T, D]
      const length = ids.shape[1]!;
      const places = tf.range(0, length, 1, 'int32').expandDims(0); // [1, T]
      const padId = this.#padId;
      const tokens = padId === undefined ? tf.onesLike(ids) : ids.notEqual(padId).toInt();
      const at = this.#first ? tf.zeros([ids.shape[0]!], 'int32') : places.mul(tokens).argMax(1); // [B]
      const one = tf.oneHot(at, length).toFloat(); // [B, T]
      const chosen = hidden.mul(one.expandDims(-1)).sum(1); // [B, D]
      return { logits: tapped(ctx, '', 'logits', this.#scores.forward(chosen, ctx)) };
    });
  }
}
