import type * as tf from '@tensorflow/tfjs';
import type { CrossEntropyOptions } from '../cross-entropy/options.js';

export interface ChunkedCrossEntropyOptions extends CrossEntropyOptions {
  /** `[V]`, added to the logits of each row; default none. */
  bias?: tf.Tensor1D | undefined;
  /** `c`, above 0: a logit `s` counts as `c tanh(s / c)`; default `s`. */
  softCap?: number | undefined;
}
