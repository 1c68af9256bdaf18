import { checkShape, type EncoderContext, type ForwardContext, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { ExampleBatch } from './objective.js';

/** What an encoder reads, row-major `[B, T]`. */
export interface EncoderBatch extends ExampleBatch {
  readonly inputs: Int32Array;
  /** 1 where there is a token, 0 at padding; default all tokens. */
  readonly mask?: Int32Array | undefined;
  /** The segment of each token, for models that tell segments apart; default 0. */
  readonly tokenTypes?: Int32Array | undefined;
  readonly shape: readonly [batch: number, tokens: number];
}

/**
 * The ids of a batch as a tensor, and the context with its mask and segments.
 *
 * @param name of the caller in messages
 * @throws ShapeError where a size is not that of the shape; ids are checked by the model
 */
export function encoderInputs(
  name: string,
  batch: EncoderBatch,
  ctx?: ForwardContext,
): { ids: tf.Tensor2D; ctx: EncoderContext } {
  const { inputs, mask, tokenTypes, shape } = batch;
  const size = shape[0] * shape[1];
  checkShape(`${name}: inputs`, [inputs.length], [size]);
  if (mask) checkShape(`${name}: mask`, [mask.length], [size]);
  if (tokenTypes) checkShape(`${name}: tokenTypes`, [tokenTypes.length], [size]);
  const ints = (values: Int32Array) => tf.tensor2d(values, [...shape], 'int32');
  return {
    ids: ints(inputs),
    ctx: {
      ...ctx,
      ...(mask ? { attentionMask: ints(mask) } : {}),
      ...(tokenTypes ? { tokenTypes: ints(tokenTypes) } : {}),
    },
  };
}

/** The output of a head by its name. */
export function outputOf(name: string, outputs: tf.NamedTensorMap, key: string): tf.Tensor {
  const output = outputs[key];
  if (!output) {
    throw new InputError(
      `${name}: the model's head gives ${Object.keys(outputs).join(', ') || 'nothing'}; expected '${key}'`,
    );
  }
  return output;
}
