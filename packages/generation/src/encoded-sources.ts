import { checkShape, type Encoded, type EncoderDecoderModel } from '@headwise/core';
import { gatherRows } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

/**
 * An encoder-decoder whose prompts are numbers of sources that were encoded before, as sounds and pictures are: `[2]` stands for the
 * third. It generates with whatever takes an encoder-decoder, and trains: gradients reach the states.
 *
 * @param encoded what `network.encode` gave, of all sources; the caller's, and disposed after generation
 * @example
 * const encoded = whisper.network.encode(logMelFeatures(sounds));
 * const { sequences } = await generateBatch(encodedSources(whisper.network, encoded), [[0], [1]]);
 */
export function encodedSources(
  network: EncoderDecoderModel,
  { states, attentionMask }: Encoded,
): EncoderDecoderModel {
  const { vocabSize, maxLength, startId } = network;
  return {
    ...{ vocabSize, maxLength, startId, sourceVocabSize: states.shape[0]! },
    encode(ids) {
      checkShape('encodedSources: the numbers of sources', ids.shape, ['B', 1]);
      return tf.tidy(() => {
        const numbers = ids.reshape<tf.Tensor1D>([-1]);
        const mask = attentionMask && tf.gather(attentionMask, numbers);
        const [count, ...each] = states.shape as [number, number, number];
        const rows = gatherRows(states.reshape<tf.Tensor2D>([count, -1]), numbers);
        return { states: rows.reshape([-1, ...each]), attentionMask: mask };
      });
    },
    decode: (ids, encoded, ctx) => network.decode(ids, encoded, ctx),
  };
}
