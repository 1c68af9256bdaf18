import type { ForwardContext, LanguageModel, LinearAdapters, MatrixHead } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';

/** A language model with adapters beside its linear maps; other ones may take their place at any time. */
export class AdaptedModel implements LanguageModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  readonly head?: MatrixHead;
  /** The adapters of the next forward; undefined for the bare model. */
  adapters: LinearAdapters | undefined;
  readonly #network: LanguageModel;

  constructor(network: LanguageModel, adapters?: LinearAdapters) {
    this.#network = network;
    this.adapters = adapters;
    this.vocabSize = network.vocabSize;
    this.maxLength = network.maxLength;
    const { head } = network;
    if (head) {
      this.head = {
        weight: head.weight,
        hidden: (ids, ctx) => head.hidden(ids, this.#with(ctx)),
      };
    }
  }

  /** @param ids `[B, T]`, int32 @returns logits `[B, T, V]` */
  forward(ids: tf.Tensor, ctx?: ForwardContext): tf.Tensor {
    return this.#network.forward(ids, this.#with(ctx));
  }

  #with(ctx: ForwardContext | undefined): ForwardContext {
    return this.adapters ? { ...ctx, adapters: this.adapters } : { ...ctx };
  }
}
