import { ShapeError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { b, k, q } from '../expression/expression.js';
import { scoreTable } from '../expression/table.js';
import type { Mask } from './mask.js';

/**
 * No query sees what is padding.
 *
 * @param tokens the lengths of the sequences, `[B]`, int32, where padding is on the right; or 1 for a token
 * and 0 for padding, `[B, Tk]`, int32 or bool, on either side: the `attention_mask` of Hugging Face
 * @throws ShapeError for another rank, InputError for another type
 */
export function padding(tokens: tf.Tensor): Mask {
  if (tokens.rank !== 1 && tokens.rank !== 2) {
    throw new ShapeError(
      `padding: tokens have shape [${tokens.shape.join(', ')}]; expected [B] or [B, Tk]`,
    );
  }
  const of = scoreTable(tokens, 'int32');
  if (tokens.rank === 1) {
    const inputs = [{ what: 'lengths', tensor: tokens, shape: ['B'] }];
    return { name: 'padding', condition: k.less(of.at(b)), inputs };
  }
  const inputs = [{ what: 'tokens', tensor: tokens, shape: ['B', 'Tk'] }];
  return { name: 'padding', condition: of.at(b, k).equal(0).not(), inputs };
}

/**
 * A query sees the keys of its own document, where several are packed into a sequence.
 *
 * @param ids the document of each key, `[B, Tk]`, int32; queries stand at the last keys
 * @throws ShapeError for another rank, InputError for another type
 */
export function documents(ids: tf.Tensor): Mask {
  if (ids.rank !== 2) {
    throw new ShapeError(`documents: ids have shape [${ids.shape.join(', ')}]; expected [B, Tk]`);
  }
  const of = scoreTable(ids, 'int32');
  const inputs = [{ what: 'ids', tensor: ids, shape: ['B', 'Tk'] }];
  return { name: 'documents', condition: of.at(b, q).equal(of.at(b, k)), inputs };
}
