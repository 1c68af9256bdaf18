import {
  checkLayer,
  checkShape,
  type DecoderHead,
  type Encoded,
  type EncoderDecoderModel,
  type ForwardContext,
  type Layer,
  type ParamStore,
  tapped,
} from '@headwise/core';
import type { Embedding } from '@headwise/layers';
import { type CrossBlock, CrossDecoder, Encoder } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import { makeBlock, makeCrossBlock } from './blocks.js';
import { makeDropout, makeNorm } from './layers.js';
import type { LanguageModelHead, ModelConfiguration } from './model-configuration.js';
import { makeAttentionPosition } from './positions.js';
import { type Side, sideOf } from './sides.js';
import { makeTokens, TokenInput } from './token-input.js';
import { makeTokenScores, type TokenScores } from './token-scores.js';

export interface EncoderDecoderParts {
  /** `V` */
  vocabSize: number;
  /** The number of ids that `embedSource` has; default `vocabSize`. */
  sourceVocabSize?: number | undefined;
  maxLength: number;
  /** The id that every output sequence starts with. */
  startId: number;
  /** What the encoder's first block gets, `[B, T, D]`, for ids `[B, T]`; `embedTarget` is the decoder's. */
  embedSource: Layer;
  encoder: Layer;
  embedTarget: Layer;
  decoder: CrossBlock;
  /** Logits `[B, T, V]` of the decoder's last hidden states `[B, T, D]`. */
  scores: Layer | TokenScores;
}

/**
 * An encoder-decoder of given parts.
 *
 * Taps: `encoder.embedded`, `encoder.final`, `decoder.embedded`, `decoder.final` and `logits`.
 */
export class EncoderDecoder implements EncoderDecoderModel {
  readonly vocabSize: number;
  readonly sourceVocabSize: number;
  readonly maxLength: number;
  readonly startId: number;
  /** Of scores that are products with one matrix. */
  readonly head: DecoderHead | undefined;
  readonly #parts: EncoderDecoderParts;

  /** @throws InputError naming a part that is not a layer */
  constructor(parts: EncoderDecoderParts) {
    const { embedSource, encoder, embedTarget, decoder, scores } = parts;
    for (const [name, part] of Object.entries({
      embedSource,
      encoder,
      embedTarget,
      decoder,
      scores,
    })) {
      checkLayer(`EncoderDecoder: ${name}`, part);
    }
    this.vocabSize = parts.vocabSize;
    this.sourceVocabSize = parts.sourceVocabSize ?? parts.vocabSize;
    this.maxLength = parts.maxLength;
    this.startId = parts.startId;
    this.#parts = parts;
    this.head = 'head' in scores ? this.#headOf(scores) : undefined;
  }

  /** @param ids `[B, Tk]`, int32 */
  encode(ids: tf.Tensor, ctx?: ForwardContext): Encoded {
    checkShape('encode: ids', ids.shape, ['B', 'Tk']);
    const attentionMask = ctx?.attentionMask;
    if (attentionMask) checkShape('encode: attentionMask', attentionMask.shape, ids.shape);
    const { embedSource, encoder } = this.#parts;
    const states = tf.tidy(() => {
      const x = tapped(ctx, 'encoder', 'embedded', embedSource.forward(ids, ctx));
      return tapped(ctx, 'encoder', 'final', encoder.forward(x, ctx));
    });
    return { states, attentionMask };
  }

  /** @param ids `[B, Tq]`, int32 @returns logits `[B, Tq, V]` */
  decode(ids: tf.Tensor, encoded: Encoded, ctx?: ForwardContext): tf.Tensor {
    checkShape('decode: ids', ids.shape, [encoded.states.shape[0]!, 'Tq']);
    return tf.tidy(() => {
      const hidden = this.#hidden(ids, encoded, ctx);
      return tapped(ctx, '', 'logits', this.#parts.scores.forward(hidden, ctx));
    });
  }

  /** The decoder's last hidden states, `[B, Tq, D]`. */
  #hidden(ids: tf.Tensor, encoded: Encoded, ctx?: ForwardContext): tf.Tensor {
    const { embedTarget, decoder } = this.#parts;
    const x = tapped(ctx, 'decoder', 'embedded', embedTarget.forward(ids, ctx));
    return tapped(ctx, 'decoder', 'final', decoder.forward(x, encoded, ctx));
  }

  #headOf({ head, inputs }: TokenScores): DecoderHead {
    return {
      get weight() {
        return head.weight;
      },
      bias: head.bias,
      path: head.path,
      hidden: (ids, encoded, ctx) => tf.tidy(() => inputs(this.#hidden(ids, encoded, ctx))),
    };
  }
}

/**
 * An encoder-decoder from its configuration.
 *
 * Parameters: `tokens`, `encoder.…`, `decoder.…`, each with `tokens` where the side has a table of its own, and those of
 * the head.
 */
export function buildEncoderDecoder(
  params: ParamStore,
  config: ModelConfiguration,
): EncoderDecoderModel {
  const { separate = [] } = config.embedding ?? {};
  const [source, target] = [sideOf(config, 'encoder'), sideOf(config, 'decoder')];
  const shared = () => makeTokens(params.at('tokens'), config);
  const tableOf = (side: Side, of: ModelConfiguration) =>
    separate.includes(side) ? makeTokens(params.at(side).at('tokens'), of) : shared();
  const [read, written] = [tableOf('encoder', source), tableOf('decoder', target)];
  // A tied head reads the shared table, or the decoder's where no side shares one.
  const table = separate.includes('encoder') ? written : shared();
  return new EncoderDecoder({
    vocabSize: target.vocabSize,
    sourceVocabSize: source.vocabSize,
    maxLength: config.maxLength ?? Number.POSITIVE_INFINITY,
    startId: config.startId ?? 0,
    embedSource: new TokenInput(params.at('encoder'), source, read),
    encoder: makeEncoder(params.at('encoder'), source),
    embedTarget: new TokenInput(params.at('decoder'), target, written),
    decoder: makeDecoder(params.at('decoder'), target),
    scores: makeTokenScores(params, target, config.head as LanguageModelHead, table as Embedding),
  });
}

function makeEncoder(params: ParamStore, config: ModelConfiguration): Layer {
  const positionOf = makeAttentionPosition(params.at('positions'), config);
  const encoder = new Encoder({
    blocks: blocksOf(params, config, (p, i) => makeBlock(p, config, i, positionOf)),
    norm: lastNorm(params, config),
  });
  const dropout = makeDropout(config.finalDropout);
  if (!dropout) return encoder;
  return { forward: (x, ctx) => dropout.forward(encoder.forward(x, ctx), ctx) };
}

function makeDecoder(params: ParamStore, config: ModelConfiguration): CrossBlock {
  const positionOf = makeAttentionPosition(params.at('positions'), config);
  const decoder = new CrossDecoder({
    blocks: blocksOf(params, config, (p, i) => makeCrossBlock(p, config, i, positionOf)),
    norm: lastNorm(params, config),
  });
  const dropout = makeDropout(config.finalDropout);
  if (!dropout) return decoder;
  return { forward: (x, encoded, ctx) => dropout.forward(decoder.forward(x, encoded, ctx), ctx) };
}

const blocksOf = <Block>(
  params: ParamStore,
  { layers }: ModelConfiguration,
  make: (params: ParamStore, layer: number) => Block,
): Block[] => Array.from({ length: layers }, (_, i) => make(params.at('blocks').at(i), i));

function lastNorm(params: ParamStore, config: ModelConfiguration): Layer | undefined {
  const { block, finalNorm = block !== 'post-norm' } = config;
  return finalNorm ? makeNorm(params.at('norm'), config) : undefined;
}
