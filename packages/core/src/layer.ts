import type * as tf from '@tensorflow/tfjs';
import type { KeyValueCache } from './cache.js';
import type { Random } from './random.js';

/** What a forward pass is told besides its input. */
export interface ForwardContext {
  /** Dropout and the like are on. Default false. */
  training?: boolean;
  /** Where dropout draws from; needed where `training` is on and a layer drops. */
  random?: Random;
  /** Called with every named activation, `path.name`; may return a replacement. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a tap that only looks returns nothing
  tap?: (name: string, value: tf.Tensor) => tf.Tensor | void;
  /** Keys and values of the tokens before `x`, while generating. */
  cache?: KeyValueCache;
  /** What is added to the linear maps that it knows. */
  adapters?: LinearAdapters;
}

/** Small maps beside the linear maps of a model, as of LoRA. */
export interface LinearAdapters {
  /**
   * What to add to the output of a linear map, before its activation; undefined for one that stays as it is.
   *
   * @param path of the linear map in its `ParamStore`
   * @param x `[..., in]` @returns `[..., out]`
   */
  delta(path: string, x: tf.Tensor, ctx: ForwardContext): tf.Tensor | undefined;
}

/** Tensor in, tensor out. Holds variables that its `ParamStore` owns, and nothing that needs disposing. */
export interface Layer {
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor;
}

/** Shows a named activation to the context's tap; gives back the tap's replacement, or the value. */
export function tapped<T extends tf.Tensor>(
  ctx: ForwardContext | undefined,
  path: string,
  name: string,
  value: T,
): T {
  if (!ctx?.tap) return value;
  return (ctx.tap(path === '' ? name : `${path}.${name}`, value) as T | undefined) ?? value;
}
