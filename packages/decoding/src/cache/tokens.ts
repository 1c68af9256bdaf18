import type { Ring } from '@headwise/kernels/internal';
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

/**
 * Ones where a new token may look, `[B, 1, T, K]`; padding looks at what the last token does.
 *
 * @param held the tokens that the keys of a sequence are, −1 where there is none
 */
export function visibleKeys(
  { ends, counts, most }: Tokens,
  keys: number,
  held: (sequence: number) => readonly number[],
  ring: Ring | undefined,
): tf.Tensor4D {
  const visible = new Float32Array(ends.length * most * keys);
  for (const [b, end] of ends.entries()) {
    const tokens = held(b);
    for (let t = 0; t < most; t++) {
      const query = Math.min(end - counts[b]! + t, end - 1);
      const row = (b * most + t) * keys;
      tokens.forEach((token, i) => {
        visible[row + i] = Number(sees(query, token, ring));
      });
    }
  }
  return tf.tensor4d(visible, [ends.length, 1, most, keys]);
}

/** Whether a query sees a key: an earlier token or itself, within the window if there is one. */
function sees(query: number, key: number, ring: Ring | undefined): boolean {
  const inWindow = !ring || key < ring.sinks || key > query - ring.size;
  return key >= 0 && key <= query && inWindow;
}
