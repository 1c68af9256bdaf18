import * as tf from '@tensorflow/tfjs';
import { kept } from './kept.js';

/** New tokens of a batch. */
export interface Tokens {
  /** The tokens of each sequence, new ones included. */
  readonly ends: readonly number[];
  /** The new ones among them; what more was given is padding. */
  readonly counts: readonly number[];
  /** The number of tokens given, `T`. */
  readonly most: number;
  /** `ends` and `counts`, int32, `[B, 2]`: for kernels, where sequences differ. */
  places: tf.Tensor2D | undefined;
}

/** Whether all sequences have as many tokens, and as many new ones. */
export function isLevel({ ends, counts, most }: Tokens): boolean {
  return counts.every((n) => n === most) && ends.every((n) => n === ends[0]);
}

/** `ends` and `counts` as a tensor, made by the first layer of a pass for all. */
export function placesOf(tokens: Tokens): tf.Tensor2D {
  const { ends, counts } = tokens;
  tokens.places ??= kept(() => {
    const pairs = ends.flatMap((end, b) => [end, counts[b]!]);
    return tf.tensor2d(pairs, [ends.length, 2], 'int32');
  });
  return tokens.places;
}
