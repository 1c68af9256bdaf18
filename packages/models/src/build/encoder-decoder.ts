import {
  checkLayer,
  checkShape,
  type DecoderHead,
  type Encoded,
  type EncoderDecoderModel,
  type ForwardContext,
  type FramesSize,
  InputError,
  type Layer,
  type ParamStore,
  type PictureSize,
  tapped,
} from '@headwise/core';
import { type AdaptiveEmbedding, type Embedding, Linear } from '@headwise/layers';
import { type CrossBlock, CrossDecoder } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';
import { makeCrossBlock } from './blocks.js';
import { initializersOf } from './initializers.js';
import { makeDropout } from './layers.js';
import type { LanguageModelHead, ModelConfiguration } from './model-configuration.js';
import { makeAttentionPosition } from './positions.js';
import { type Side, sideOf } from './sides.js';
import { makeBlocks, makeLastNorm, makeStack } from './stack.js';
import { makeStackInput, sourceSize } from './stack-input.js';
import { makeTokens, TokenInput } from './token-input.js';
import { makeTokenScores, type TokenScores } from './token-scores.js';

export interface EncoderDecoderParts {
  /** `V` */
  vocabSize: number;
  /** The number of ids that `embedSource` has; default `vocabSize`. */
  sourceVocabSize?: number | undefined;
  /** Of the pictures that `embedSource` takes in place of ids. */
  pictures?: PictureSize | undefined;
  /** Of the sounds that `embedSource` takes in place of ids. */
  frames?: FramesSize | undefined;
  /** D of the states that `embedSource` takes in place of ids. */
  stateWidth?: number | undefined;
  maxLength: number;
  /** The id that every output sequence starts with. */
  startId: number;
  /** What the encoder's first block gets, `[B, T, D]`, for ids `[B, T]`; `embedTarget` is the decoder's. */
  embedSource: Layer;
  encoder: Layer;
  /** Maps what the encoder gives to what the decoder looks at, where their widths differ. */
  projection?: Layer | undefined;
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
  readonly pictures: PictureSize | undefined;
  readonly frames: FramesSize | undefined;
  readonly stateWidth: number | undefined;
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
    this.pictures = parts.pictures;
    this.frames = parts.frames;
    this.stateWidth = parts.stateWidth;
    this.maxLength = parts.maxLength;
    this.startId = parts.startId;
    this.#parts = parts;
    this.head = 'head' in scores ? this.#headOf(scores) : undefined;
  }

  /** @param source ids `[B, Tk]`, int32; pictures `[B, H, W, C]`, sounds `[B, T, C]` or states `[B, Tk, D]`, float32, where the model takes those */
  encode(source: tf.Tensor, ctx?: ForwardContext): Encoded {
    const attentionMask = ctx?.attentionMask;
    this.#checkSource(source, attentionMask);
    const { embedSource, encoder, projection } = this.#parts;
    const states = tf.tidy(() => {
      const x = tapped(ctx, 'encoder', 'embedded', embedSource.forward(source, ctx));
      const final = tapped(ctx, 'encoder', 'final', encoder.forward(x, ctx));
      return projection?.forward(final, ctx) ?? final;
    });
    return { states, attentionMask };
  }

  /** Throws for a source of another shape, or with a mask of another one. The shape of pictures and sounds is checked where they are read. */
  #checkSource({ shape }: tf.Tensor, mask: tf.Tensor | undefined): void {
    if (this.pictures || this.frames) {
      if (!mask) return;
      const given = this.pictures ? 'pictures' : 'sounds';
      throw new InputError(`encode: attentionMask is given for ${given}; expected none`);
    }
    const { stateWidth } = this;
    if (stateWidth) checkShape('encode: states', shape, ['B', 'Tk', stateWidth]);
    else checkShape('encode: ids', shape, ['B', 'Tk']);
    if (mask) checkShape('encode: attentionMask', mask.shape, shape.slice(0, 2));
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
      softCap: head.softCap,
      path: head.path,
      hidden: (ids, encoded, ctx) => tf.tidy(() => inputs(this.#hidden(ids, encoded, ctx))),
    };
  }
}

/** The parts of an encoder-decoder that read its source. */
type SourceParts = Pick<
  EncoderDecoderParts,
  | 'embedSource'
  | 'encoder'
  | 'projection'
  | 'sourceVocabSize'
  | 'pictures'
  | 'frames'
  | 'stateWidth'
>;

/** The caller's: another name of what was given, to be disposed apart from it. */
const given: Layer = { forward: (x) => x.clone() };
const asItIs: Layer = { forward: (x) => x };

/**
 * The parts that read a source.
 *
 * @param table the tokens of an encoder that is made as the decoder is
 */
function sourceParts(
  params: ParamStore,
  config: ModelConfiguration,
  table: () => Embedding | AdaptiveEmbedding,
): SourceParts {
  const { encoder, dim } = config;
  if (encoder === 'states') {
    return { embedSource: given, encoder: asItIs, sourceVocabSize: 0, stateWidth: dim };
  }
  const source = sideOf(config, 'encoder');
  const { input } = makeStackInput(params, source, encoder ? undefined : table);
  return {
    embedSource: input,
    encoder: makeStack(params, source),
    projection: source.dim === dim ? undefined : makeProjection(params, source.dim, config),
    sourceVocabSize: source.vocabSize,
    ...sourceSize(source),
  };
}

const makeProjection = (params: ParamStore, width: number, config: ModelConfiguration): Layer =>
  new Linear(params.at('projection'), {
    ...{ in: width, out: config.dim, layout: 'out-in' },
    init: initializersOf(config).matrix(width),
  });

/**
 * An encoder-decoder from its configuration.
 *
 * Parameters: `tokens`, `encoder.…`, `decoder.…`, each with `tokens` where the side has a table of its own, those of
 * the head, and `encoder.projection`, a linear map, where the sides have different widths.
 */
export function buildEncoderDecoder(
  params: ParamStore,
  config: ModelConfiguration,
): EncoderDecoderModel {
  const { separate = [] } = config.embedding ?? {};
  const target = sideOf(config, 'decoder');
  const shared = () => makeTokens(params.at('tokens'), config);
  const tableOf = (side: Side, of: ModelConfiguration) =>
    separate.includes(side) ? makeTokens(params.at(side).at('tokens'), of) : shared();
  const source = sourceParts(params.at('encoder'), config, () =>
    tableOf('encoder', sideOf(config, 'encoder')),
  );
  const written = tableOf('decoder', target);
  // A tied head reads the shared table, or the decoder's where no side shares one.
  const table = separate.includes('encoder') ? written : shared();
  return new EncoderDecoder({
    ...source,
    vocabSize: target.vocabSize,
    maxLength: config.maxLength ?? Number.POSITIVE_INFINITY,
    startId: config.startId ?? 0,
    embedTarget: new TokenInput(params.at('decoder'), target, written),
    decoder: makeDecoder(params.at('decoder'), target),
    scores: makeTokenScores(params, target, config.head as LanguageModelHead, table as Embedding),
  });
}

function makeDecoder(params: ParamStore, config: ModelConfiguration): CrossBlock {
  const positionOf = makeAttentionPosition(params.at('positions'), config);
  const decoder = new CrossDecoder({
    blocks: makeBlocks(params, config, (p, i) => makeCrossBlock(p, config, i, positionOf)),
    norm: makeLastNorm(params, config),
  });
  const dropout = makeDropout(config.finalDropout);
  if (!dropout) return decoder;
  return { forward: (x, encoded, ctx) => dropout.forward(decoder.forward(x, encoded, ctx), ctx) };
}
