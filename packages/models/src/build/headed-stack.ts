import {
  checkShape,
  type EncoderContext,
  type EncoderModel,
  type ParamStore,
  tapped,
} from '@headwise/core';
import { gatherRows } from '@headwise/kernels';
import { type Embedding, LayerNorm, Linear } from '@headwise/layers';
import * as tf from '@tensorflow/tfjs';
import {
  answerSpan,
  Classifier,
  type EncoderHead,
  MaskedLanguageHead,
  Pooler,
  Transform,
} from './heads.js';
import { initializersOf } from './initializers.js';
import { makeNorm } from './layers.js';
import type {
  EmbeddingHead,
  HeadPart,
  ModelConfiguration,
  OfKind,
  PoolerPart,
  TransformPart,
} from './model-configuration.js';
import { sourceSize } from './stack-input.js';
import { makeTokenScores } from './token-scores.js';
import { TokenStack } from './token-stack.js';

/** A head that reads hidden states, whole sequences at once. */
type StackHead = Exclude<HeadPart, { kind: 'adaptive' }>;

/** What a head is made from. */
interface HeadSource {
  params: ParamStore;
  config: ModelConfiguration;
  /** The table of tokens, which a head may share. */
  tokens: Embedding;
}

const heads: {
  readonly [K in StackHead['kind']]: (
    head: OfKind<StackHead, K>,
    source: HeadSource,
  ) => EncoderHead;
} = {
  none({ pooler: pooled }, source) {
    if (!pooled) return (hidden) => ({ hidden });
    const pooler = makePooler(source);
    return (hidden, _ids, ctx) => ({ hidden, pooled: pooler.forward(hidden, ctx) });
  },
  embedding({ of, norm: normed, width }, { params, config }) {
    const at = params.at('head');
    const norm = normed ? makeNorm(at.at('norm'), config) : undefined;
    const init = initializersOf(config).matrix(config.dim);
    const map = { in: config.dim, bias: false, layout: 'out-in', init } as const;
    const projection =
      width === undefined ? undefined : new Linear(at.at('projection'), { ...map, out: width });
    return (hidden, ids, ctx) => {
      const chosen = stateAt(hidden, placeOf(of, ids)); // [B, D]
      const pooled = norm?.forward(chosen, ctx) ?? chosen;
      return { hidden, pooled, ...(projection && { embedding: projection.forward(pooled, ctx) }) };
    };
  },
  'language-model'(head, { params, config, tokens }) {
    const scores = makeTokenScores(params, config, head, tokens);
    return (hidden, _ids, ctx) => ({ logits: scores.forward(hidden, ctx) });
  },
  'masked-language-model'(head, source) {
    const { params, config, tokens } = source;
    const { feedForward, norm, embedding } = config;
    const { epsilon, bias: normBias } =
      norm.kind === 'layer' ? norm : { epsilon: 'epsilon' in norm ? norm.epsilon : undefined };
    const masked = new MaskedLanguageHead(params.at('head'), {
      dim: config.dim,
      vocabSize: config.vocabSize,
      width: embedding?.width,
      tokens: head.tied ? tokens : undefined,
      bias: head.bias,
      activation:
        head.activation ??
        ('activation' in feedForward ? feedForward.activation : undefined) ??
        'gelu',
      norm: (at, dim) => new LayerNorm(at, { dim, epsilon, bias: normBias }),
      init: initializersOf(config).matrix(config.dim),
    });
    const scores = (hidden: tf.Tensor, ctx?: EncoderContext, positions?: tf.Tensor1D) =>
      positions
        ? masked.forward(statesAt(hidden, positions), ctx).reshape([positions.size, -1])
        : masked.forward(hidden, ctx);
    if (!head.nextSentence) {
      return (hidden, _ids, ctx, positions) => ({ logits: scores(hidden, ctx, positions) });
    }
    const next = makeNextSentence(source);
    return (hidden, _ids, ctx, positions) => ({
      tokenLogits: scores(hidden, ctx, positions),
      nextSentenceLogits: next(hidden, ctx),
    });
  },
  'next-sentence'(_, source) {
    const next = makeNextSentence(source);
    return (hidden, _ids, ctx) => ({ logits: next(hidden, ctx) });
  },
  'sequence-classification'({ labels, dropout, bias = false, padId, pooler: pooled }, source) {
    const pooler = pooled && makePooler(source, pooled);
    const score = makeClassifier('score', source, { labels, dropout, bias });
    const first = source.config.topology === 'encoder';
    return (hidden, ids, ctx) => {
      const chosen =
        pooler?.forward(hidden, ctx) ??
        stateOf(hidden, ids, { first, padId, mask: ctx?.attentionMask }); // [B, D]
      return { logits: score.forward(chosen, ctx) };
    };
  },
  'token-classification'({ labels, dropout, transform }, source) {
    const score = makeTokenClassifier(source, { labels, dropout }, transform);
    return (hidden, _ids, ctx) => ({ logits: score(hidden, ctx) });
  },
  'question-answering'({ dropout, transform }, source) {
    const span = makeTokenClassifier(source, { labels: 2, dropout }, transform);
    return (hidden, _ids, ctx) => answerSpan(span(hidden, ctx));
  },
  'replaced-tokens'({ activation }, source) {
    const score = makeTokenClassifier(source, { labels: 1 }, { activation });
    return (hidden, _ids, ctx) => ({ logits: score(hidden, ctx).squeeze([-1]) });
  },
};

function makePooler(source: HeadSource, pooler: PoolerPart = {}): Pooler {
  return new Pooler(source.params.at('pooler'), transformOptions(source, pooler));
}

/** The options of a transform or a pooler, with the norm and the start that a configuration names. */
function transformOptions<Part extends TransformPart | PoolerPart>(
  { config }: HeadSource,
  { norm, ...part }: Part,
) {
  const { dim } = config;
  return {
    dim,
    ...part,
    norm: norm ? (at: ParamStore, width: number) => makeNorm(at, config, width) : undefined,
    init: initializersOf(config).matrix(dim),
  };
}

/** Scores of every token, from its hidden state or from what a transform makes of it. */
function makeTokenClassifier(
  source: HeadSource,
  options: { labels: number; dropout?: number | undefined },
  transform: TransformPart | undefined,
): (hidden: tf.Tensor, ctx?: EncoderContext) => tf.Tensor {
  const score = makeClassifier('score', source, options);
  if (!transform) return (hidden, ctx) => score.forward(hidden, ctx);
  const made = new Transform(source.params.at('transform'), transformOptions(source, transform));
  return (hidden, ctx) => score.forward(made.forward(hidden, ctx), ctx);
}

function makeClassifier(
  path: string,
  { params, config }: HeadSource,
  options: { labels: number; dropout?: number | undefined; bias?: boolean | undefined },
): Classifier {
  const { dim } = config;
  return new Classifier(params.at(path), {
    dim,
    ...options,
    init: initializersOf(config).matrix(dim),
  });
}

function makeNextSentence(source: HeadSource) {
  const pooler = makePooler(source);
  const next = makeClassifier('nextSentence', source, { labels: 2 });
  return (hidden: tf.Tensor, ctx?: EncoderContext): tf.Tensor =>
    next.forward(pooler.forward(hidden, ctx), ctx);
}

/** The hidden state of a sequence's first token, or its last that is not padding by its id or the mask, `[B, D]`. */
function stateOf(
  hidden: tf.Tensor,
  ids: tf.Tensor,
  {
    first,
    padId,
    mask,
  }: { first: boolean; padId?: number | undefined; mask?: tf.Tensor | undefined },
): tf.Tensor {
  // Pictures have no ids, and their hidden states a length of their own.
  const [batch, length] = hidden.shape as [number, number, number];
  const last = () => {
    const places = tf.range(0, length, 1, 'int32').expandDims(0); // [1, T]
    const named = padId === undefined ? tf.onesLike(ids) : ids.notEqual(padId).toInt();
    return places.mul(mask ? named.mul(mask.toInt()) : named).argMax(1);
  };
  const at = first ? tf.zeros([batch], 'int32') : last(); // [B]
  return stateAt(hidden, at);
}

/** The hidden state at a place of each sequence, `[B]`. */
function stateAt(hidden: tf.Tensor, at: tf.Tensor): tf.Tensor {
  const one = tf.oneHot(at as tf.Tensor1D, hidden.shape[1]!).toFloat(); // [B, T]
  return hidden.mul(one.expandDims(-1)).sum(1);
}

/** The place of the state that stands for a sequence, `[B]`. */
function placeOf(of: EmbeddingHead['of'], ids: tf.Tensor): tf.Tensor {
  if (of === 'first') return tf.zeros([ids.shape[0]!], 'int32');
  const length = ids.shape[1]!;
  const found = ids.equal(of === 'highest-id' ? ids.max(1, true) : of.id); // [B, T]
  const places = tf.range(0, length).expandDims(0); // [1, T]
  // Where none is found, the first.
  return tf.where(found, places, tf.scalar(length)).min(1).mod(length).toInt();
}

/** The hidden states at some positions of `[B · T]`, as one row `[1, N, D]`. */
function statesAt(hidden: tf.Tensor, positions: tf.Tensor1D): tf.Tensor {
  const dim = hidden.shape[2]!;
  const rows = hidden.reshape<tf.Tensor2D>([-1, dim]);
  return gatherRows(rows, positions).reshape([1, -1, dim]);
}

/** A stack of blocks under a head: an encoder, or a decoder that classifies. */
export class HeadedStack implements EncoderModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly pictures: EncoderModel['pictures'];
  readonly frames: EncoderModel['frames'];
  readonly forwardAt: EncoderModel['forwardAt'];
  readonly #stack: TokenStack;
  readonly #head: EncoderHead;

  constructor(params: ParamStore, config: ModelConfiguration, head: StackHead) {
    this.vocabSize = config.vocabSize;
    this.maxLength = config.maxLength ?? Number.POSITIVE_INFINITY;
    const { pictures, frames } = sourceSize(config);
    this.pictures = pictures;
    this.frames = frames;
    this.#stack = new TokenStack(params, config);
    const source = { params, config, tokens: this.#stack.tokens as Embedding };
    const make = heads[head.kind] as (head: StackHead, source: HeadSource) => EncoderHead;
    this.#head = make(head, source);
    if (head.kind === 'masked-language-model') {
      this.forwardAt = (ids, positions, ctx) =>
        tf.tidy(() => this.#head(this.encode(ids, ctx), ids, ctx, positions));
    }
  }

  /** @param ids `[B, T]`, int32, or pictures `[B, H, W, C]` or sounds `[B, T, C]`, float32 @returns `[B, T, D]` */
  encode(ids: tf.Tensor, ctx?: EncoderContext): tf.Tensor {
    if (!this.pictures && !this.frames) checkShape('ids', ids.shape, ['B', 'T']);
    return this.#stack.forward(ids, ctx);
  }

  /** @param ids `[B, T]`, int32, or pictures `[B, H, W, C]` or sounds `[B, T, C]`, float32 @returns what the head gives, by name */
  forward(ids: tf.Tensor, ctx?: EncoderContext): tf.NamedTensorMap {
    return tf.tidy(() => {
      const outputs = this.#head(this.encode(ids, ctx), ids, ctx);
      if (outputs.logits) outputs.logits = tapped(ctx, '', 'logits', outputs.logits);
      return outputs;
    });
  }
}
