import { checkShape, type ForwardContext } from '@headwise/core';
import { checkIds, knownValues } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { positionsInDocuments } from './documents.js';
import { checkPositions } from './position.js';

/**
 * The positions of new tokens: one number where all sequences start at the same position, else row-major `[B, T]`;
 * padding repeats the last position of its sequence.
 *
 * @param x `[B, T, D]`, the tokens that follow those in `ctx.cache`
 * @throws ShapeError where a position is beyond `maxLength`
 */
export function placesOf(
  x: tf.Tensor,
  ctx: ForwardContext | undefined,
  maxLength: number,
): number | Int32Array {
  const [batch, count] = x.shape as [number, number, number];
  const starts = ctx?.cache?.starts ?? [];
  const [first = 0] = starts;
  const counts = ctx?.lengths ?? [];
  for (let b = 0; b < batch; b++) {
    checkPositions(starts[b] ?? first, counts[b] ?? count, maxLength);
  }
  if (starts.every((start) => start === first) && first + count <= maxLength) return first;
  return Int32Array.from({ length: batch * count }, (_, i) => {
    const position = (starts[Math.floor(i / count)] ?? first) + (i % count);
    return Math.min(position, maxLength - 1);
  });
}

/**
 * The `positions` of a context, or those in its `documents`, `[B, T]`, int32; undefined if it has neither.
 *
 * @param x `[B, T, D]`
 * @throws ShapeError where they are not one for each token, InputError naming the first that is not below `maxLength`
 */
export function givenPositions(
  x: tf.Tensor,
  ctx: ForwardContext | undefined,
  maxLength: number,
): tf.Tensor | undefined {
  if (ctx?.documents) checkShape('documents', ctx.documents.shape, x.shape.slice(0, 2));
  const positions = ctx?.positions ?? (ctx?.documents && positionsInDocuments(ctx.documents));
  if (!positions) return undefined;
  checkShape('positions', positions.shape, x.shape.slice(0, 2));
  checkIds(positions, {
    name: 'position',
    count: maxLength,
    of: `the model's maxLength of ${maxLength}`,
  });
  return positions;
}

/**
 * The positions of tokens among those that are not padding: `cumsum(mask) − 1`, and 0 at padding; undefined where they are
 * the tokens' places, as where padding stands on the right.
 *
 * @param attentionMask `[B, T]`, int32, 1 for tokens, cached ones included, and 0 for padding
 * @param count number of last tokens to give positions for
 * @returns `[B, count]`, int32
 */
export function positionsFromMask(attentionMask: tf.Tensor, count: number): tf.Tensor | undefined {
  checkShape('attentionMask', attentionMask.shape, ['B', 'T']);
  const [batch, length] = attentionMask.shape as [number, number];
  const known = knownValues(attentionMask);
  if (!known) {
    return tf.tidy(() => {
      const tokens = attentionMask.notEqual(0).toFloat();
      const positions = tokens.cumsum(1).sub(1).mul(tokens).toInt();
      return positions.slice([0, length - count], [batch, count]);
    });
  }
  const positions = new Int32Array(batch * count);
  let same = true;
  for (let b = 0; b < batch; b++) {
    let seen = 0;
    for (let t = 0; t < length; t++) {
      if (known[b * length + t] === 0) continue;
      if (t >= length - count) positions[b * count + t - (length - count)] = seen;
      same &&= seen === t;
      seen++;
    }
  }
  return same ? undefined : tf.tensor2d(positions, [batch, count], 'int32');
}

/**
 * Positions of ids that are not padding, counted from `padId + 1`; padding has position `padId`.
 *
 * @param ids `[B, T]`, int32 @returns `[B, T]`, int32
 */
export function positionsAfterPadding(ids: tf.Tensor, padId: number): tf.Tensor {
  const known = knownValues(ids);
  if (known) {
    const [batch, length] = ids.shape as [number, number];
    const positions = new Int32Array(batch * length);
    for (let b = 0; b < batch; b++) {
      let last = padId;
      for (let i = b * length; i < (b + 1) * length; i++) {
        positions[i] = known[i] === padId ? padId : ++last;
      }
    }
    return tf.tensor2d(positions, [batch, length], 'int32');
  }
  return tf.tidy(() => {
    const tokens = ids.notEqual(padId).toFloat();
    return tokens.cumsum(1).mul(tokens).add(padId).toInt();
  });
}
