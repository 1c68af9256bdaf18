import type * as tf from '@tensorflow/tfjs';
import type { KeyValueCache } from './cache.js';
import type { Random } from './random.js';
import type { AttentionProbe, Tap } from './tap.js';

/** What a forward pass is told besides its input. */
export interface ForwardContext {
  /** Dropout and the like are on. Default false. */
  training?: boolean;
  /** Where dropout draws from; needed where `training` is on and a layer drops. */
  random?: Random;
  /** Watches or replaces named activations. */
  tap?: Tap;
  /** Called by every attention layer; asking the probe leaves the layer on its fused path. */
  onAttention?: (path: string, probe: AttentionProbe) => void;
  /** Keys and values of the tokens before `x`, while generating. */
  cache?: KeyValueCache;
}

/** Tensor in, tensor out. Holds variables that its `ParamStore` owns, and nothing that needs disposing. */
export interface Layer {
  forward(x: tf.Tensor, ctx?: ForwardContext): tf.Tensor;
}
