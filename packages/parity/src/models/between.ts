import {
  type EncoderDecoderModel,
  type EncoderModel,
  type PictureSize,
  readTensor,
} from '@headwise/core';
import type { Model } from '@headwise/models';
import * as tf from '@tensorflow/tfjs';
import { type Check, checkOf } from '../receipt.js';
import type { Tensors } from './golden.js';
import { outputsOf } from './outputs.js';

/** The outputs of a model for the same ids on some backend, by name. */
export type Outputs = Record<string, Float32Array>;

/** How many tokens a model of somebody's is asked for. */
const tokens = 7;

/** What a model makes of a few ids that are the same for every backend. */
export async function outputsForIds(model: Model): Promise<Outputs> {
  const { vocabSize, maxLength } = model.network;
  const length = Math.min(tokens, maxLength);
  const ids = Int32Array.from({ length }, (_, i) => (7919 * (i + 1)) % Math.max(1, vocabSize));
  const outputs = tf.tidy(() => {
    const input = tf.tensor2d(ids, [1, length], 'int32');
    const { pictures, frames } = model.network as EncoderModel;
    const { stateWidth } = model.network as EncoderDecoderModel;
    const read = stateWidth ? { encoder_hidden_states: wavesOf([1, length, stateWidth]) } : {};
    const source: Tensors = pictures
      ? { pixel_values: pictureOf(pictures) }
      : frames
        ? { input_features: wavesOf([1, frames.channels, frames.count]) }
        : { input_ids: input, ...read };
    const given: Tensors = { ...source, decoder_input_ids: input };
    const named = outputsOf(model, given);
    // An output may be one of the inputs of another.
    return Object.fromEntries(Object.entries(named).map(([name, x]) => [name, x.clone()]));
  });
  try {
    const read = Object.entries(outputs).map(
      async ([name, x]) => [name, (await readTensor(x)) as Float32Array] as const,
    );
    return Object.fromEntries(await Promise.all(read));
  } finally {
    tf.dispose(outputs);
  }
}

/** A picture that is the same for every backend, channels first. */
function pictureOf({ height, width, channels }: PictureSize): tf.Tensor {
  return wavesOf([1, channels, height, width]);
}

/** Values between -1 and 1 that are the same for every backend. */
function wavesOf(shape: readonly number[]): tf.Tensor {
  const length = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length }, (_, i) => Math.sin(i)),
    [...shape],
  );
}

/** Compares the outputs of a model on one backend with those on another. */
export function checkBetween(subject: string, actual: Outputs, expected: Outputs): Check[] {
  return Object.entries(expected).map(([name, values]) =>
    checkOf(subject, name, actual[name] ?? values.map(() => Number.NaN), values, 1e-4),
  );
}
