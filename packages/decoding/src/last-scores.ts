import type { ForwardContext, LanguageModel } from '@headwise/core';
import { gatherRows } from '@headwise/kernels';
import { headMatrix, headScores } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

/**
 * A model's scores of the token after each sequence. The head is multiplied with the last hidden states alone, where it is one
 * matrix: those of all tokens would take `N T V` numbers.
 *
 * @param ids `[N, T]`, int32
 * @param lengths of the sequences, where padding stands behind them; default `T`
 * @returns `[N, V]`
 */
export function lastScores(
  network: LanguageModel,
  ids: tf.Tensor2D,
  ctx: ForwardContext,
  lengths: readonly number[] = Array<number>(ids.shape[0]).fill(ids.shape[1]),
): tf.Tensor2D {
  return tf.tidy(() => scoresOf(network, ids, ctx, (x) => lastRows(x, lengths)));
}

/**
 * A model's scores after each of the last tokens of one sequence.
 *
 * @param ids `[1, T]`, int32
 * @param count the number of those tokens
 * @returns `[count, V]`
 */
export function endScores(
  network: LanguageModel,
  ids: tf.Tensor2D,
  ctx: ForwardContext,
  count: number,
): tf.Tensor2D {
  const first = ids.shape[1] - count;
  const places = Array.from({ length: count }, (_, n) => first + n);
  return tf.tidy(() => scoresOf(network, ids, ctx, (x) => rowsAt(x, places)));
}

/** The scores of some rows: of the hidden states where the head is one matrix, else of all scores. */
function scoresOf(
  network: LanguageModel,
  ids: tf.Tensor2D,
  ctx: ForwardContext,
  rows: (x: tf.Tensor) => tf.Tensor2D,
): tf.Tensor2D {
  const { head } = network;
  const matrix = headMatrix(head);
  if (!head || !matrix) return rows(network.forward(ids, ctx));
  return headScores(rows(head.hidden(ids, ctx)), matrix);
}

/** The row of each sequence's last token: `[N, T, D]` to `[N, D]`. */
export function lastRows(x: tf.Tensor, lengths: readonly number[]): tf.Tensor2D {
  const longest = x.shape[1]!;
  return rowsAt(
    x,
    lengths.map((length, n) => n * longest + length - 1),
  );
}

/** Some rows of `[N, T, D]`, by their places among the `N T`; all of them where there are as many. */
function rowsAt(x: tf.Tensor, places: readonly number[]): tf.Tensor2D {
  const width = x.shape.at(-1)!;
  const rows = x.reshape<tf.Tensor2D>([-1, width]);
  if (rows.shape[0] === places.length) return rows;
  return gatherRows(rows, tf.tensor1d([...places], 'int32'), 'trusted') as tf.Tensor2D;
}
