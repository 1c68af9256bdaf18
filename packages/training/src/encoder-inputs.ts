import { checkShape, type EncoderContext, type ForwardContext, InputError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import type { BatchArray, BatchArrays, BatchTensors, ExampleBatch } from './objective.js';
import { tensorsOf } from './tensor-loss.js';

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
 * What an encoder reads of a batch, as arrays.
 *
 * @param name of the caller in messages
 * @throws ShapeError where a size is not that of the shape; ids are checked by the model
 */
export function encoderArrays(name: string, batch: EncoderBatch): BatchArrays {
  const { inputs, mask, tokenTypes, shape } = batch;
  const arrays: Record<string, BatchArray> = {};
  for (const [key, values] of Object.entries({ inputs, mask, tokenTypes })) {
    if (!values) continue;
    checkShape(`${name}: ${key}`, [values.length], [shape[0] * shape[1]]);
    arrays[key] = { values, shape };
  }
  return arrays;
}

/** The ids that an encoder reads, and the context with their mask and segments, from the tensors of `encoderArrays`. */
export function encoderReads(
  { inputs, mask, tokenTypes }: BatchTensors,
  ctx?: ForwardContext,
): { ids: tf.Tensor2D; ctx: EncoderContext } {
  return {
    ids: inputs as tf.Tensor2D,
    ctx: {
      ...ctx,
      ...(mask ? { attentionMask: mask } : {}),
      ...(tokenTypes ? { tokenTypes } : {}),
    },
  };
}

/** The ids that an encoder reads of a batch, and the context with their mask and segments. */
export const encoderInputs = (
  name: string,
  batch: EncoderBatch,
  ctx?: ForwardContext,
): ReturnType<typeof encoderReads> => encoderReads(tensorsOf(encoderArrays(name, batch)), ctx);

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
