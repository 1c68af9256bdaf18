import type * as tf from '@tensorflow/tfjs';
import type { Precision } from './precision.js';
import type { Random } from './random.js';
import type { AttentionProbe, Tap } from './tap.js';
import type { RecurrentMemory, TokenCache } from './token-cache.js';

/** Options of a forward pass. */
export interface ForwardContext {
  /** Dropout and the like are on. Default false. */
  training?: boolean | undefined;
  /** Blocks are computed again in the backward pass, which then needs the memory of one block alone. Default false. */
  checkpoint?: boolean | undefined;
  /** What linear maps compute in; `mixed` needs WebGPU with the feature `shader-f16`. Default `float32`. */
  precision?: Precision | undefined;
  /** Where dropout draws from; needed where `training` is on and a layer drops. */
  random?: Random | undefined;
  /** Watches or replaces named activations. */
  tap?: Tap | undefined;
  /** Called by every attention layer; asking the probe leaves the layer on its fused path. */
  onAttention?: ((path: string, probe: AttentionProbe) => void) | undefined;
  /** Called by every layer of experts with its router's scores `[N, E]`, which a loss may add to, of the tokens of all sequences. */
  onRouting?: ((path: string, scores: tf.Tensor2D) => void) | undefined;
  /** Keys and values of the tokens before `x`, while generating. */
  cache?: TokenCache | undefined;
  /** The tokens of each sequence that are not padding, which stands at the end; default all. */
  lengths?: readonly number[] | undefined;
  /** Hidden states of the segments before `x`, for layers that recur over segments. */
  memory?: RecurrentMemory | undefined;
  /** `[B, T]`, int32, 1 where `x` (the cached tokens included) has a token, 0 at padding; default all tokens. */
  attentionMask?: tf.Tensor | undefined;
  /**
   * `[B, T]`, int32: the position of each token of `x`, from 0 on; default their places, after those in the cache. Decoders
   * with a head for the next token count the tokens of `attentionMask` instead, as transformers' `generate` does.
   */
  positions?: tf.Tensor | undefined;
  /**
   * `[B, T]`, int32: the document of each token of `x`, where several are packed into a row. A token attends to those of its own
   * document, and positions are counted in each document from 0.
   */
  documents?: tf.Tensor | undefined;
  /** What is added to the linear maps that it knows. */
  adapters?: LinearAdapters | undefined;
}

/** Adapters: low-rank updates of linear maps (LoRA), and replacements of other parameters. */
export interface LinearAdapters {
  /** The linear maps that `delta` changes, by path; absent: it may change any. */
  readonly paths?: readonly string[] | undefined;
  /**
   * What to add to the output of a linear map, before its activation; undefined for one that stays as it is.
   *
   * @param path of the linear map in its `ParamStore`
   * @param x `[..., in]`
   * @param product `x W` of this linear map without its bias; that of `x` itself is computed once
   * @returns `[..., out]`
   */
  delta(
    path: string,
    x: tf.Tensor,
    ctx: ForwardContext,
    product: (x: tf.Tensor) => tf.Tensor,
  ): tf.Tensor | undefined;
  /**
   * The tensor to use instead of a parameter of the model; undefined for one that stays as it is.
   *
   * @param path of the parameter, which the model must read through `ParamStore.adaptable`
   */
  parameter?(path: string): tf.Tensor | undefined;
  /** Their own parameters, where they may change. */
  readonly params?: { state(): readonly unknown[] } | undefined;
}

/** Tensor in, tensor out. Holds variables that its `ParamStore` owns, and nothing that needs disposing. */
export interface Layer {
  /** Where its parameters lie in the `ParamStore`; blocks name their activations by it. */
  readonly path?: string | undefined;
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor;
}
