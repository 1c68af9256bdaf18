import {
  checkPart,
  type DecoderHead,
  type EncoderDecoderModel,
  type EncoderModel,
  type ForwardContext,
  isEncoder,
  isEncoderDecoder,
  type LanguageModel,
  type MatrixHead,
  type Network,
} from '@headwise/core';
import type { LinearAdapters } from '@headwise/core/internal';

const aNetwork = 'a language model, an encoder or an encoder-decoder, such as model.network';
const someAdapters = 'what new Lora(model.params, …) or loadAdapter(…) gives';

/** The kind of a network: language model, encoder or encoder-decoder. */
type KindOf<N extends Network> = N extends LanguageModel
  ? LanguageModel
  : N extends EncoderDecoderModel
    ? EncoderDecoderModel
    : N extends EncoderModel<infer Outputs>
      ? EncoderModel<Outputs>
      : never;

/** A network of the same kind as N, with adapters that may be exchanged at any time. */
export type AdaptedModel<N extends Network = LanguageModel> = KindOf<N> & {
  /** The adapters of the next forward; undefined for the bare model. */
  adapters: LinearAdapters | undefined;
};

/**
 * A network with adapters beside its linear maps; it has the methods of the network's kind.
 *
 * @example
 * const network = new AdaptedModel(t5.network, lora);
 * const encoded = network.encode(source);
 * const logits = network.decode(target, encoded);
 */
export const AdaptedModel: new <N extends Network>(
  network: N,
  adapters?: LinearAdapters,
) => AdaptedModel<N> = class AdaptedModel {
  readonly vocabSize: number;
  readonly maxLength: number;
  adapters: LinearAdapters | undefined;

  constructor(network: Network, adapters?: LinearAdapters) {
    const methods = ['forward', 'decode'].filter((name) => name in Object(network)).slice(0, 1);
    checkPart('AdaptedModel: network', network, methods.length ? methods : ['forward'], aNetwork);
    if (adapters !== undefined)
      checkPart('AdaptedModel: adapters', adapters, ['delta'], someAdapters);
    this.adapters = adapters;
    this.vocabSize = network.vocabSize;
    this.maxLength = network.maxLength;
    const told = (ctx: ForwardContext | undefined): ForwardContext =>
      this.adapters ? { ...ctx, adapters: this.adapters } : { ...ctx };
    // The kind of a network follows from its methods.
    if (isEncoderDecoder(network)) {
      Object.assign(this, {
        startId: network.startId,
        sourceVocabSize: network.sourceVocabSize,
        pictures: network.pictures,
        frames: network.frames,
        stateWidth: network.stateWidth,
        encode: (ids, ctx) => network.encode(ids, told(ctx)),
        decode: (ids, encoded, ctx) => network.decode(ids, encoded, told(ctx)),
      } satisfies Omit<EncoderDecoderModel, 'vocabSize' | 'maxLength'>);
      this.#defineHead(() => {
        const { head } = network;
        const hidden: DecoderHead['hidden'] = (ids, encoded, ctx) =>
          head!.hidden(ids, encoded, told(ctx));
        return head && adaptedHead(head, hidden, this.adapters);
      });
    } else if (isEncoder(network)) {
      Object.assign(this, {
        pictures: network.pictures,
        frames: network.frames,
        encode: (ids, ctx) => network.encode(ids, told(ctx)),
        forward: (ids, ctx) => network.forward(ids, told(ctx)),
        forwardAt:
          network.forwardAt &&
          ((ids, positions, ctx) => network.forwardAt!(ids, positions, told(ctx))),
      } satisfies Omit<EncoderModel, 'vocabSize' | 'maxLength'>);
    } else {
      Object.assign(this, {
        forward: (ids, ctx) => network.forward(ids, told(ctx)),
        steadyLength: network.steadyLength,
        parameterState: () => [
          ...(network.parameterState?.() ?? []),
          this.adapters,
          ...(this.adapters?.params?.state() ?? []),
        ],
      } satisfies Omit<LanguageModel, 'vocabSize' | 'maxLength'>);
      this.#defineHead(() => {
        const { head } = network;
        const hidden: MatrixHead['hidden'] = (ids, ctx) => head!.hidden(ids, told(ctx));
        return head && adaptedHead(head, hidden, this.adapters);
      });
    }
  }

  #defineHead(get: () => MatrixHead | DecoderHead | undefined): void {
    Object.defineProperty(this, 'head', { enumerable: true, get });
  }
} as never;

/** The head under adapters; undefined where they change its scores, which then are not those of one matrix. */
function adaptedHead<Head extends MatrixHead | DecoderHead>(
  head: Head,
  hidden: Head['hidden'],
  adapters: LinearAdapters | undefined,
): Head | undefined {
  const { path } = head;
  if (path === undefined || !adapters) return { ...head, hidden };
  if (adapters.paths?.includes(path) ?? true) return undefined;
  const weight = adapters.parameter?.(`${path}.weight`) ?? head.weight;
  return { ...head, weight, hidden };
}
