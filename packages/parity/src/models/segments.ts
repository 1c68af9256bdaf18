import type { LanguageModel, Tap } from '@headwise/core';
import { SegmentMemory } from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from './cross-entropy.js';
import type { Tensors } from './golden.js';

/** What is read in one piece, and how many hidden states are kept of it, in the goldens of Transformer-XL. */
const [segment, kept] = [7, 5];

/** What a model with a memory gives, segment by segment: log-probabilities, and what the memory keeps. */
export function outputsOfSegments(network: LanguageModel, ids: tf.Tensor, tap?: Tap): Tensors {
  const memory = new SegmentMemory(kept);
  const outputs: Tensors = {};
  const [batch, length] = ids.shape as [number, number];
  try {
    for (let i = 0; i * segment < length; i++) {
      const piece = ids.slice([0, i * segment], [batch, segment]);
      const named: Tap | undefined = tap && ((path, value) => tap(`segment_${i}.${path}`, value));
      const ctx = { memory, ...(named ? { tap: named } : {}) };
      outputs[`segment_${i}.log_probabilities`] = network.forward(piece, ctx);
      for (let layer = 0; memory.read(`blocks.${layer}.attn`); layer++) {
        outputs[`segment_${i}.memory.${layer}`] = memory.read(`blocks.${layer}.attn`)!.clone();
      }
    }
    return outputs;
  } finally {
    memory.dispose();
  }
}

/** The sum of the segments' mean losses of the next token. */
export function lossOfSegments(outputs: Tensors, labels: tf.Tensor): tf.Scalar {
  const [batch, length] = labels.shape as [number, number];
  const losses = Array.from({ length: length / segment }, (_, i) => {
    const all = outputs[`segment_${i}.log_probabilities`]!;
    const scores = all.slice([0, 0, 0], [batch, segment - 1, all.shape[2]!]);
    return crossEntropy(scores, labels.slice([0, i * segment + 1], [batch, segment - 1]));
  });
  return tf.addN(losses) as tf.Scalar;
}
