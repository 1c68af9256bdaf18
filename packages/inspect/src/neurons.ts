import { InputError, readTensor } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { capture } from './capture.js';
import type { Watchable } from './watchable.js';

/** The head and the query to decompose. */
export interface NeuronQuestion {
  /** The layer's path: `blocks.0.attn`. */
  readonly layer: string;
  readonly head: number;
  /** Which query. */
  readonly row: number;
  /** Which sequence of the batch; default 0. */
  readonly sequence?: number | undefined;
}

/** The product of a query with every key, by head dimension. */
export interface Neurons {
  /** `[Dh]` */
  readonly query: Float32Array;
  /** `[Tk, Dh]` */
  readonly keys: Float32Array;
  /** `q_d k_jd`, `[Tk, Dh]`: what each dimension adds to the score, before its scale. */
  readonly products: Float32Array;
  /** The attention weights of the query, `[Tk]`. */
  readonly weights: Float32Array;
}

/**
 * What makes a query attend where it does: its product with every key, by dimension.
 *
 * @param input e.g. ids `[B, T]`
 * @throws InputError for a layer, head, row or sequence that does not exist
 * @see Vig 2019, https://arxiv.org/abs/1906.05714
 */
export async function neurons(
  model: Watchable<unknown>,
  input: tf.Tensor,
  { layer, head, row, sequence = 0 }: NeuronQuestion,
): Promise<Neurons> {
  const names = ['q', 'k', 'pattern'].map((name) => `${layer}.${name}`);
  const captured = capture(model, input, names, { part: { heads: [head], rows: [row] } });
  try {
    const [q, k, pattern] = names.map((name) => captured.get(name));
    const [batch, heads, , width] = q!.shape as [number, number, number, number];
    const [, kvHeads, count] = k!.shape as [number, number, number, number];
    if (!(Number.isInteger(sequence) && sequence >= 0 && sequence < batch)) {
      throw new InputError(`sequence ${sequence} does not exist; expected 0 to ${batch - 1}`);
    }
    const keyHead = Math.floor((head * kvHeads) / heads);
    const parts = tf.tidy(() => [
      q!.slice([sequence, head, row, 0], [1, 1, 1, width]),
      k!.slice([sequence, keyHead, 0, 0], [1, 1, count, width]),
      pattern!.slice([sequence, 0, 0, 0], [1, 1, 1, count]),
    ]);
    const [query, keys, weights] = (await Promise.all(parts.map(readTensor))) as Float32Array[];
    tf.dispose(parts);
    const products = keys!.map((value, i) => value * query![i % width]!);
    return { query: query!, keys: keys!, products, weights: weights! };
  } finally {
    captured.dispose();
  }
}
