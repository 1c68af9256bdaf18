import type * as tf from '@tensorflow/tfjs';

/** What is added to one linear map. */
export interface LoraUpdate {
  rank: number;
  alpha: number;
  /** `alpha / rank`, or `alpha / √rank`. */
  scale: number;
  /** `[r, in]` */
  a: tf.Tensor2D;
  /** `[out, r]` */
  b: tf.Tensor2D;
  /** `[out]` */
  bias: tf.Tensor1D | undefined;
  /** `[out]`, of DoRA: the norm of what each output sums; while merged, over that of `W + ΔW`. */
  magnitude: tf.Variable<tf.Rank.R1> | undefined;
}
