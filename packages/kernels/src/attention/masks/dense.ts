import { ShapeError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { b, h, k, row } from '../expression/expression.js';
import { scoreTable } from '../expression/table.js';
import type { Mask } from './mask.js';

/** What is added to a score that is meant to vanish is below this, for any library. */
const hiding = -1e30;

/**
 * A mask that says something of every pair. It takes memory of `Tq · Tk`; nothing is skipped.
 *
 * @param pairs bool or int32, where what is not 0 is seen; or float32 that is added to scores, where what is
 * below -1e30 hides; `[B or 1, H or 1, Tq, Tk]`. Gradients flow to float32.
 * @throws ShapeError for another rank
 */
export function dense(pairs: tf.Tensor): Mask {
  if (pairs.rank !== 4) {
    throw new ShapeError(
      `dense: pairs have shape [${pairs.shape.join(', ')}]; expected [B or 1, H or 1, Tq, Tk]`,
    );
  }
  const inputs = [{ what: 'pairs', tensor: pairs, shape: ['[B]', '[H]', 'Tq', 'Tk'] }];
  const place = [pairs.shape[0] === 1 ? 0 : b, pairs.shape[1] === 1 ? 0 : h, row, k];
  if (pairs.dtype !== 'float32') {
    const condition = scoreTable(pairs, 'int32')
      .at(...place)
      .equal(0)
      .not();
    return { name: 'dense', condition, inputs };
  }
  const bias = scoreTable(pairs).at(...place);
  return { name: 'dense', condition: bias.greater(hiding), bias, inputs };
}
