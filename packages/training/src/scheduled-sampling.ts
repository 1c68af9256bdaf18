import {
  type Encoded,
  type EncoderDecoderModel,
  type ForwardContext,
  InputError,
} from '@headwise/core';
import { stopGradient } from '@headwise/core/internal';
import { headMatrix, headScores, rowsAtATime } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { ignoredTarget } from './cross-entropy.js';

/** What the decoder reads, and which share of it is to be its own. */
interface SampledInputs {
  /** `[B, Tt]`, int32: the start token and the targets before the last. */
  ids: tf.Tensor2D;
  encoded: Encoded;
  targets: Int32Array;
  share: number;
}

/**
 * The decoder's inputs with a share of the tokens replaced by the model's own predictions. The predictions come from a first
 * pass over the correct tokens, without dropout and without gradient.
 *
 * @returns `[B, Tt]`, int32
 * @throws InputError for a share that is not a probability, and without `ctx.random`
 * @see Bengio et al. 2015, https://arxiv.org/abs/1506.03099; Mihaylova and Martins 2019 (two passes), https://arxiv.org/abs/1906.07651
 */
export function sampledInputs(
  network: EncoderDecoderModel,
  { ids, encoded, targets, share }: SampledInputs,
  ctx: ForwardContext,
): tf.Tensor2D {
  if (!(share >= 0 && share <= 1)) {
    throw new InputError(
      `sequence-to-sequence: sampled is ${share}; expected a number from 0 to 1`,
    );
  }
  const { random } = ctx;
  if (!random) {
    throw new InputError(
      'sequence-to-sequence: a batch has sampled inputs; expected ctx.random to draw them',
    );
  }
  const [rows, length] = ids.shape;
  // The start token stays, and so does what follows a target that is not there.
  const chosen = targets.map((_, i) => {
    const free = i % length > 0 && targets[i - 1] !== ignoredTarget;
    return Number(free && random.next() < share);
  });
  if (!chosen.includes(1)) return ids;
  const predicted = stopGradient(() =>
    predictions(network, ids, encoded, {
      ...ctx,
      training: false,
      tap: undefined,
    }).reshape<tf.Tensor2D>([rows, length]),
  );
  return tf.tidy(() => {
    const start = tf.fill([rows, 1], network.startId, 'int32');
    const before = tf.concat([start, predicted.slice([0, 0], [rows, length - 1])], 1); // [B, Tt]
    return tf.where<tf.Tensor>(
      tf.tensor2d(chosen, [rows, length], 'bool'),
      before,
      ids,
    ) as tf.Tensor2D;
  });
}

/** The likeliest target at each place, `[B Tt]`, int32; scores exist a few rows at a time where the head is one matrix. */
function predictions(
  network: EncoderDecoderModel,
  ids: tf.Tensor2D,
  encoded: Encoded,
  ctx: ForwardContext,
): tf.Tensor1D {
  const { head } = network;
  const matrix = headMatrix(head);
  if (!head || !matrix) return network.decode(ids, encoded, ctx).argMax<tf.Tensor>(-1).flatten();
  const hidden = head.hidden(ids, encoded, ctx).reshape<tf.Tensor2D>([ids.size, -1]);
  const most = rowsAtATime(network.vocabSize);
  const found: tf.Tensor1D[] = [];
  for (let start = 0; start < ids.size; start += most) {
    const rows = Math.min(most, ids.size - start);
    found.push(
      tf.tidy(() => {
        const some = hidden.slice<tf.Tensor2D>([start, 0], [rows, -1]);
        return headScores(some, matrix).argMax<tf.Tensor1D>(-1);
      }),
    );
  }
  return tf.concat(found);
}
