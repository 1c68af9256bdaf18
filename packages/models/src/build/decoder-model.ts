import {
  type EncoderModel,
  type ForwardContext,
  InputError,
  type LanguageModel,
  type Layer,
  type MatrixHead,
  type ParamStore,
  tapped,
} from '@headwise/core';
import type { StepPlan, SteppedModel } from '@headwise/decoding';
import { type AdaptiveEmbedding, AdaptiveSoftmax, type Embedding } from '@headwise/layers';
import { positionsFromMask } from '@headwise/positions';
import * as tf from '@tensorflow/tfjs';
import { HeadedStack } from './headed-stack.js';
import { initializersOf } from './initializers.js';
import type { AdaptiveHead, LanguageModelHead, ModelConfiguration } from './model-configuration.js';
import { countsTokens, steadyLengthOf } from './positions.js';
import { makeStepPlan } from './step-plan.js';
import { makeTokenScores } from './token-scores.js';
import { TokenStack } from './token-stack.js';

/** A decoder with a head that scores the next token: a matrix of its own, or the embeddings' again. */
export class DecoderModel implements LanguageModel, SteppedModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly steadyLength: number;
  readonly head: MatrixHead;
  readonly routing: LanguageModel['routing'];
  readonly #hidden: (ids: tf.Tensor, ctx?: ForwardContext) => tf.Tensor;
  readonly #scores: Layer;
  readonly #params: ParamStore;
  readonly #stepPlan: () => StepPlan | undefined;
  readonly #firstLayers: (count: number) => DecoderModel;

  constructor(params: ParamStore, config: ModelConfiguration, head: LanguageModelHead) {
    this.#params = params;
    this.#stepPlan = () => makeStepPlan(params, config, head);
    this.#firstLayers = (layers) => {
      if (Number.isSafeInteger(layers) && layers >= 1 && layers < config.layers) {
        return new DecoderModel(params, firstLayersOf(config, layers), head);
      }
      throw new InputError(
        `firstLayers: ${layers} layers of ${config.layers}; expected a whole number of at least 1, below that`,
      );
    };
    this.vocabSize = config.vocabSize;
    this.maxLength = config.maxLength ?? Number.POSITIVE_INFINITY;
    this.steadyLength = steadyLengthOf(config);
    const { feedForward: part } = config;
    if (part.kind === 'experts' && part.balance) {
      this.routing = { active: part.active, balance: part.balance };
    }
    const stack = new TokenStack(params, config);
    const counted = countsTokens(config.position);
    this.#hidden = (ids, ctx) =>
      tf.tidy(() => stack.forward(ids, counted ? countingTokens(ids, ctx) : ctx));
    const scores = makeTokenScores(params, config, head, stack.tokens as Embedding, 'head');
    this.#scores = scores;
    this.head = {
      get weight() {
        return scores.head.weight;
      },
      bias: scores.head.bias,
      softCap: head.softCap,
      ...(head.tied ? {} : { path: 'head' }),
      hidden: (ids, ctx) => tf.tidy(() => scores.inputs(this.#hidden(ids, ctx))),
    };
  }

  /** Its token step, from the parameters as they are now; undefined where a part has no fused form. */
  stepPlan(): StepPlan | undefined {
    return this.#stepPlan();
  }

  parameterState(): readonly unknown[] {
    return this.#params.state();
  }

  /** The model of its first layers, with its own last norm and head, as early exit drafts with; it shares the parameters. */
  firstLayers(count: number): DecoderModel {
    return this.#firstLayers(count);
  }

  /** @param ids `[B, T]`, int32 @returns logits `[B, T, V]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const hidden = this.#hidden(ids, ctx);
      return tapped(ctx, '', 'logits', this.#scores.forward(hidden, ctx));
    });
  }
}

/** A configuration with its first layers only. */
function firstLayersOf(config: ModelConfiguration, layers: number): ModelConfiguration {
  const { heads, position } = config;
  const window = Array.isArray(heads.window) ? heads.window.slice(0, layers) : heads.window;
  const turned =
    position.kind === 'rotary'
      ? { ...position, layers: position.layers?.slice(0, layers) }
      : position;
  return { ...config, layers, position: turned, heads: { ...heads, window } };
}

/** The context with the positions that transformers' `generate` derives from a mask of padding. */
function countingTokens(
  ids: tf.Tensor,
  ctx: ForwardContext | undefined,
): ForwardContext | undefined {
  if (!ctx?.attentionMask || ctx.positions || ctx.documents) return ctx;
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
    default:
      return new HeadedStack(params, config, head);
  }
}

/** A decoder whose rare tokens have narrow embeddings and a softmax of their own. */
class AdaptiveDecoder implements LanguageModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly #params: ParamStore;
  readonly #stack: TokenStack;
  readonly #softmax: AdaptiveSoftmax;

  constructor(params: ParamStore, config: ModelConfiguration, { tied }: AdaptiveHead) {
    this.vocabSize = config.vocabSize;
    this.maxLength = config.maxLength ?? Number.POSITIVE_INFINITY;
    this.#params = params;
    this.#stack = new TokenStack(params, config);
    const { table: init } = initializersOf(config);
    const tokens = this.#stack.tokens as AdaptiveEmbedding;
    this.#softmax = new AdaptiveSoftmax(params.at('head'), tokens, { tied, init });
  }

  parameterState(): readonly unknown[] {
    return this.#params.state();
  }

  /** @param ids `[B, T]`, int32 @returns log-probabilities `[B, T, V]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const scores = this.#softmax.forward(this.#stack.forward(ids, ctx), ctx);
      return tapped(ctx, '', 'logits', scores);
    });
  }
}
