import { causal, FusedProjection, MultiHeadAttention } from '@headwise/attention';
import {
  type ForwardContext,
  type LanguageModel,
  type Layer,
  type MatrixHead,
  normal,
  ParamStore,
  tapped,
} from '@headwise/core';
import { and, slidingWindow } from '@headwise/kernels';
import {
  Dropout,
  Embedding,
  FeedForward,
  GatedFeedForward,
  LayerNorm,
  RMSNorm,
} from '@headwise/layers';
import { createModel, type Model } from '@headwise/models';
import { LearnedPosition, RotaryPosition, SinusoidalPosition } from '@headwise/positions';
import { Decoder, PreNormBlock } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import { familyOf } from './family-of.js';
import type { RunConfig } from './run-config.js';
import { hiddenOf } from './size.js';

type ModelConfig = RunConfig['model'];

/** A model to train; where its parts are those of a known family, it can be saved as one. */
export interface BuiltModel {
  params: ParamStore;
  network: LanguageModel;
  /** Undefined where no family of Hugging Face's has these parts. */
  checkpoint?: Model;
}

/** The model of a configuration, its parameters drawn from a seed. */
export function buildModel(model: ModelConfig, vocabSize: number, seed: number): BuiltModel {
  if (familyOf(model) === 'gpt2') {
    const checkpoint = createModel(gpt2Config(model, vocabSize), { seed });
    return { params: checkpoint.params, network: checkpoint.network, checkpoint };
  }
  const params = new ParamStore({ seed });
  return { params, network: new ComposedModel(params, model, vocabSize) };
}

function gpt2Config(model: ModelConfig, vocabSize: number): Record<string, unknown> {
  return {
    model_type: 'gpt2',
    vocab_size: vocabSize,
    n_positions: model.context,
    n_embd: model.dim,
    n_layer: model.layers,
    n_head: model.heads,
    ...(model.hidden ? { n_inner: model.hidden } : {}),
    activation_function: model.feedForward,
    embd_pdrop: model.dropout,
    resid_pdrop: model.dropout,
    attn_pdrop: model.dropout,
    bos_token_id: null,
    eos_token_id: null,
  };
}

/** A decoder of the chosen parts, with a head tied to the embeddings. */
class ComposedModel implements LanguageModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly head: MatrixHead;
  readonly #tokens: Embedding;
  readonly #positions: Layer | undefined;
  readonly #dropout: Dropout;
  readonly #decoder: Decoder;

  constructor(params: ParamStore, model: ModelConfig, vocabSize: number) {
    const { dim, context: maxLength } = model;
    this.vocabSize = vocabSize;
    this.maxLength = maxLength;
    this.#tokens = new Embedding(params.at('tokens'), { count: vocabSize, dim });
    this.#positions = positionsOf(params, model);
    this.#dropout = new Dropout({ rate: model.dropout });
    this.#decoder = new Decoder({
      blocks: Array.from({ length: model.layers }, (_, i) =>
        blockOf(params.at('blocks').at(i), model),
      ),
      norm: normOf(params.at('norm'), model),
    });
    const weight = params.at('tokens').get('weight', [vocabSize, dim], normal(0.02));
    this.head = {
      weight: weight as unknown as tf.Tensor2D,
      hidden: (ids, ctx) => this.#hidden(ids, ctx),
    };
  }

  /** @param ids `[B, T]`, int32 @returns logits `[B, T, V]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => tapped(ctx, '', 'logits', this.#tokens.scores(this.#hidden(ids, ctx))));
  }

  #hidden(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const tokens = this.#tokens.forward(ids, ctx);
      const embedded = this.#positions?.forward(tokens, ctx) ?? tokens; // [B, T, D]
      return this.#decoder.forward(
        tapped(ctx, '', 'embedded', this.#dropout.forward(embedded, ctx)),
        ctx,
      );
    });
  }
}

function positionsOf(params: ParamStore, model: ModelConfig): Layer | undefined {
  const { dim, context: maxLength } = model;
  if (model.position === 'learned') {
    return new LearnedPosition(params.at('positions'), { maxLength, dim });
  }
  return model.position === 'sinusoidal' ? new SinusoidalPosition({ maxLength, dim }) : undefined;
}

function normOf(params: ParamStore, { norm, dim }: ModelConfig): Layer {
  return norm === 'layer' ? new LayerNorm(params, { dim }) : new RMSNorm(params, { dim });
}

function blockOf(params: ParamStore, model: ModelConfig): PreNormBlock {
  const { dim, heads, kvHeads, window, layers, feedForward, dropout } = model;
  const outInit = normal(0.02 / Math.sqrt(2 * layers));
  const sizes = { dim, hidden: hiddenOf(model), outInit };
  return new PreNormBlock({
    norm1: normOf(params.at('norm1'), model),
    mix: new MultiHeadAttention(params.at('attn'), {
      dim,
      heads,
      kvHeads,
      mask: window === undefined ? causal : and(causal, slidingWindow(window)),
      position: model.position === 'rotary' ? new RotaryPosition({ dim: dim / heads }) : undefined,
      projection: FusedProjection,
      dropout: dropout > 0 ? new Dropout({ rate: dropout }) : undefined,
      outInit,
    }),
    norm2: normOf(params.at('norm2'), model),
    mlp:
      feedForward === 'gated-silu'
        ? new GatedFeedForward(params.at('mlp'), sizes)
        : new FeedForward(params.at('mlp'), { ...sizes, activation: feedForward }),
    dropout: new Dropout({ rate: dropout }),
    path: params.path,
  });
}
