import type * as tf from '@tensorflow/tfjs';

/**
 * Which channels are turned together, of the first R: `half-split` i and i + R/2 (GPT-NeoX, LLaMA in
 * Hugging Face's layout), `interleaved` 2i and 2i + 1 (the paper, GPT-J).
 */
export type RotaryLayout = 'half-split' | 'interleaved';

/** What queries and keys are turned by, for kernels that turn them as they load them. */
export interface RotaryTables {
  /** `[T, R/2]`, cos θ of each new token and pair; `[B, T, R/2]` where sequences differ. */
  cos: tf.Tensor;
  /** As `cos`. */
  sin: tf.Tensor;
  layout: RotaryLayout;
}
