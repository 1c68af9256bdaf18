import { InputError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { FloatExpression, IntExpression } from './expression.js';
import type { Node, Table } from './node.js';

const mostAxes = 4;

/** A float32 tensor to look up in; gradients flow to it. */
export class FloatTable implements Table {
  readonly type = 'float';
  constructor(readonly tensor: tf.Tensor) {}

  /**
   * The value at a place; an index outside an axis means the nearest end of it.
   *
   * @throws InputError unless there is one index for each axis
   */
  at(...indices: (IntExpression | number)[]): FloatExpression {
    return new FloatExpression(lookup(this, indices));
  }
}

/** An int32 or bool tensor to look up in. */
export class IntTable implements Table {
  readonly type = 'int';
  constructor(readonly tensor: tf.Tensor) {}

  /**
   * The value at a place; an index outside an axis means the nearest end of it.
   *
   * @throws InputError unless there is one index for each axis
   */
  at(...indices: (IntExpression | number)[]): IntExpression {
    return new IntExpression(lookup(this, indices));
  }
}

function lookup(table: Table, indices: (IntExpression | number)[]): Node {
  const { shape } = table.tensor;
  if (indices.length !== shape.length) {
    throw new InputError(
      `scoreTable: ${indices.length} indices for a tensor of shape [${shape.join(', ')}]; expected ${shape.length}`,
    );
  }
  return { kind: 'lookup', type: table.type, table, args: indices.map(IntExpression.nodeOf) };
}

/**
 * Makes a tensor of rank 1 to 4 a table for expressions.
 *
 * Nothing is copied: the tensor must live as long as the expression is used, and may be a variable.
 *
 * @throws InputError for another rank or another type
 * @example const bias = scoreMod((score, _b, h, q, k) => score.add(scoreTable(slopes).at(h).mul(k.sub(q).toFloat())));
 */
export function scoreTable(tensor: tf.Tensor, type?: 'float32'): FloatTable;
export function scoreTable(tensor: tf.Tensor, type: 'int32'): IntTable;
export function scoreTable(
  tensor: tf.Tensor,
  type: 'float32' | 'int32' = 'float32',
): FloatTable | IntTable {
  const { dtype, rank, shape } = tensor;
  if (rank < 1 || rank > mostAxes || tensor.size === 0) {
    throw new InputError(
      `scoreTable: a tensor of shape [${shape.join(', ')}]; expected 1 to ${mostAxes} axes, none of size 0`,
    );
  }
  const known = type === 'int32' ? dtype === 'int32' || dtype === 'bool' : dtype === 'float32';
  if (!known) throw new InputError(`scoreTable: a tensor of type ${dtype}; expected ${type}`);
  return type === 'int32' ? new IntTable(tensor) : new FloatTable(tensor);
}
