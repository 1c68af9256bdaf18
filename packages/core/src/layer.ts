import type * as tf from '@tensorflow/tfjs';
import type { KeyValueCache } from './cache/key-value-cache.js';
import type { SegmentMemory } from './cache/segment-memory.js';
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
  /** The tokens of each sequence that are no padding, which stands at the end; default all. */
  lengths?: readonly number[];
  /** Hidden states of the segments before `x`, for layers that recur over segments. */
  memory?: SegmentMemory;
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
