import {
  checkLayer,
  checkShape,
  type Encoded,
  type EncoderDecoderModel,
  type ForwardContext,
  type Layer,
  tapped,
} from '@headwise/core';
import type { CrossBlock } from '@headwise/transformer';
import * as tf from '@tensorflow/tfjs';

export interface EncoderDecoderParts {
  /** `V` */
  vocabSize: number;
  maxLength: number;
  /** The id that every output sequence starts with. */
  startId: number;
  /** What the encoder's first block gets, `[B, T, D]`, for ids `[B, T]`; `embedTarget` is the decoder's. */
  embedSource: Layer;
  encoder: Layer;
  embedTarget: Layer;
  decoder: CrossBlock;
  /** Logits `[B, T, V]` of the decoder's last hidden states `[B, T, D]`. */
  scores: Layer;
}

/**
 * An encoder-decoder of given parts.
 *
 * Taps: `encoder.embedded`, `encoder.final`, `decoder.embedded`, `decoder.final` and `logits`.
 */
export class EncoderDecoder implements EncoderDecoderModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly startId: number;
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
    this.maxLength = parts.maxLength;
    this.startId = parts.startId;
    this.#parts = parts;
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
    const { embedTarget, decoder, scores } = this.#parts;
    return tf.tidy(() => {
      const x = tapped(ctx, 'decoder', 'embedded', embedTarget.forward(ids, ctx));
      const hidden = tapped(ctx, 'decoder', 'final', decoder.forward(x, encoded, ctx));
      return tapped(ctx, '', 'logits', scores.forward(hidden, ctx));
    });
  }
}
