import {
  type EncoderContext,
  type EncoderModel,
  type ForwardContext,
  type Initializer,
  initializers,
  type Layer,
  type ParamStore,
} from '@headwise/core';
import { type Activation, Dropout, type Embedding, Linear } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';

/**
 * Computes outputs, by name, from the last hidden states `[B, T, D]` and the ids `[B, T]`. A head that scores tokens against the
 * vocabulary does so at `positions` alone, `[N]` in [0, B · T), where they are given.
 */
export type EncoderHead = (
  hidden: tf.Tensor,
  ids: tf.Tensor,
  ctx?: ForwardContext,
  positions?: tf.Tensor1D,
) => tf.NamedTensorMap;

export interface HeadOptions {
  /** `D` */
  dim: number;
  /** How the weights start. */
  init?: Initializer | undefined;
}

export interface MaskedLanguageHeadOptions extends HeadOptions {
  /** The table that the scores are products with; default a matrix of the head's own. */
  tokens?: Embedding | undefined;
  /** `V` */
  vocabSize: number;
  /** `E`, the width of the table; default D. */
  width?: number | undefined;
  activation: Activation;
  /** Whether there is a b; default true. */
  bias?: boolean | undefined;
  /** Makes the norm, of so many channels. */
  norm(params: ParamStore, dim: number): Layer;
}

/**
 * Scores of what each token was before it was masked: `norm(f(h W + b)) Eᵀ + c`.
 *
 * Parameters: `dense`, a linear map `[D, E]`, `norm`, and `bias` `[V]`, or `decoder`, a linear map `[E, V]`.
 *
 * @see Devlin et al. 2019, https://arxiv.org/abs/1810.04805
 */
export class MaskedLanguageHead {
  readonly #dense: Linear;
  readonly #norm: Layer;
  readonly #scores: (x: tf.Tensor, ctx?: ForwardContext) => tf.Tensor;

  constructor(params: ParamStore, options: MaskedLanguageHeadOptions) {
    const { dim, width = dim, vocabSize, tokens, bias: biased, activation, init } = options;
    const dense = {
      in: dim,
      out: width,
      bias: biased,
      layout: 'out-in',
      activation,
      init,
    } as const;
    this.#dense = new Linear(params.at('dense'), dense);
    this.#norm = options.norm(params.at('norm'), width);
    if (tokens) {
      const bias = params.adaptable('bias', [vocabSize], initializers.zeros);
      this.#scores = (x, ctx) => tokens.scores(x, bias(ctx));
    } else {
      const own = { in: width, out: vocabSize, layout: 'out-in', init } as const;
      const decoder = new Linear(params.at('decoder'), own);
      this.#scores = (x, ctx) => decoder.forward(x, ctx);
    }
  }

  /** @param hidden `[B, T, D]` @returns logits `[B, T, V]` */
  forward(hidden: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const transformed = this.#norm.forward(this.#dense.forward(hidden, ctx), ctx);
      return this.#scores(transformed, ctx);
    });
  }
}

export interface TransformOptions extends HeadOptions {
  activation: Activation;
  /** Default true. */
  bias?: boolean | undefined;
  /** Makes the norm of what leaves the activation, of so many channels; default none. */
  norm?: ((params: ParamStore, dim: number) => Layer) | undefined;
}

/**
 * What a head makes of hidden states first: `norm(f(h W + b))`.
 *
 * Parameters: those of a linear map `[D, D]`, and `norm`.
 */
export class Transform implements Layer {
  readonly #dense: Linear;
  readonly #norm: Layer | undefined;

  constructor(params: ParamStore, { dim, activation, bias, norm, init }: TransformOptions) {
    const dense = { in: dim, out: dim, layout: 'out-in', bias, activation, init } as const;
    this.#dense = new Linear(params, dense);
    this.#norm = norm?.(params.at('norm'), dim);
  }

  /** @param x `[..., D]` @returns `[..., D]` */
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const y = this.#dense.forward(x, ctx);
      return this.#norm?.forward(y, ctx) ?? y;
    });
  }
}

export interface PoolerOptions extends Omit<TransformOptions, 'activation'> {
  /** Default `tanh`. */
  activation?: Activation | undefined;
  /** What is transformed: the first hidden state, or their mean; default `first`. */
  of?: 'first' | 'mean' | undefined;
  /** The rate at which values of h are dropped in training; default 0. */
  dropout?: number | undefined;
}

/**
 * One vector for a sequence, from its first token or the mean of its tokens: `norm(f(h W + b))`, by default `tanh(h₀ W + b)`.
 *
 * Parameters: those of a linear map `[D, D]`, and `norm`.
 */
export class Pooler {
  readonly #transform: Transform;
  readonly #dropout: Dropout;
  readonly #of: 'first' | 'mean';

  constructor(params: ParamStore, options: PoolerOptions) {
    const { dropout = 0, of = 'first', activation = 'tanh', ...transform } = options;
    this.#transform = new Transform(params, { ...transform, activation });
    this.#dropout = new Dropout({ rate: dropout });
    this.#of = of;
  }

  /** @param hidden `[B, T, D]` @returns `[B, D]` */
  forward(hidden: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return tf.tidy(() => {
      const [batch, , dim] = hidden.shape as [number, number, number];
      const chosen =
        this.#of === 'mean'
          ? meanPooled(hidden, ctx?.attentionMask)
          : hidden.slice([0, 0, 0], [batch, 1, dim]).reshape([batch, dim]);
      return this.#transform.forward(this.#dropout.forward(chosen, ctx), ctx);
    });
  }
}

export interface ClassifierOptions extends HeadOptions {
  /** The number of classes. */
  labels: number;
  /** The rate at which inputs are dropped in training; default 0. */
  dropout?: number | undefined;
  /** Default true. */
  bias?: boolean | undefined;
}

/**
 * Scores of classes, for a sequence or for each token: `dropout(h) W + b`.
 *
 * Parameters: those of a linear map `[D, labels]`.
 */
export class Classifier {
  readonly #linear: Linear;
  readonly #dropout: Dropout;

  constructor(params: ParamStore, options: ClassifierOptions) {
    const { dim, labels, init, bias, dropout = 0 } = options;
    this.#linear = new Linear(params, { in: dim, out: labels, bias, layout: 'out-in', init });
    this.#dropout = new Dropout({ rate: dropout });
  }

  /** @param hidden `[..., D]` @returns logits `[..., labels]` */
  forward(hidden: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return this.#linear.forward(this.#dropout.forward(hidden, ctx), ctx);
  }
}

/** Scores of where an answer starts and where it ends, `[B, T]` each, from scores of two classes `[B, T, 2]`. */
export function answerSpan(logits: tf.Tensor): { startLogits: tf.Tensor; endLogits: tf.Tensor } {
  const [startLogits, endLogits] = logits.unstack(-1);
  return { startLogits: startLogits!, endLogits: endLogits! };
}

/**
 * The mean of the hidden states of a sequence's tokens.
 *
 * @param hidden `[B, T, D]`
 * @param attentionMask `[B, T]`, int32, 0 at padding; default all tokens
 * @returns `[B, D]`; zeros for a sequence of padding alone
 */
export function meanPooled(hidden: tf.Tensor, attentionMask?: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    if (!attentionMask) return hidden.mean(1);
    const tokens = attentionMask.toFloat(); // [B, T]
    const count = tokens.sum(1, true).maximum(1); // [B, 1]
    return hidden.mul(tokens.expandDims(-1)).sum(1).div(count);
  });
}

/**
 * Vectors of length 1, whose dot products say how alike sentences are: normalised means of hidden states.
 *
 * @param ids `[B, T]`, int32; `ctx.attentionMask` says which of them are padding
 * @returns `[B, D]`
 * @see Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084
 * @example
 * const vectors = sentenceEmbeddings(network, ids, { attentionMask });
 * const similarity = tf.matMul(vectors, vectors, false, true); // [B, B]
 */
export function sentenceEmbeddings(
  network: EncoderModel,
  ids: tf.Tensor,
  ctx?: EncoderContext,
): tf.Tensor {
  return tf.tidy(() => {
    const pooled = meanPooled(network.encode(ids, ctx), ctx?.attentionMask);
    return pooled.div(pooled.norm('euclidean', -1, true).maximum(1e-12));
  });
}
