import {
  type EncoderDecoderModel,
  type ForwardContext,
  isEncoderDecoder,
  type LanguageModel,
  readTensor,
} from '@headwise/core';
import { KeyValueCache } from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';
import type { Greedy, Tensors } from './golden.js';
import { sourceRow } from './outputs.js';

/** The best tokens after a prompt, read into a cache one after the other. */
export async function greedyTokens(
  network: LanguageModel | EncoderDecoderModel,
  { prompt = [], row, forced, tokens }: Greedy,
  inputs: Tensors = {},
): Promise<number[]> {
  const cache = new KeyValueCache();
  const made: number[] = [];
  const { scores, start, dispose } = scorer(network, prompt, () =>
    row === undefined ? idsRow(prompt) : sourceRow(inputs, row),
  );
  try {
    for (let ids = start; made.length < tokens.length; ids = made.slice(-1)) {
      const best = tf.tidy(() => {
        const input = tf.tensor2d([...ids], [1, ids.length], 'int32');
        const logits = scores(input, { cache });
        return logits.slice([0, ids.length - 1, 0], [1, 1, -1]).argMax(-1);
      });
      const [id] = await readTensor(best);
      made.push(made.length === 0 ? (forced ?? id!) : id!);
      best.dispose();
    }
  } finally {
    dispose();
    cache.dispose();
  }
  return made;
}

const idsRow = (ids: readonly number[]): { source: tf.Tensor; mask?: tf.Tensor | undefined } => ({
  source: tf.tensor2d([...ids], [1, ids.length], 'int32'),
});

/** How a model scores tokens, and what it reads first. */
function scorer(
  network: LanguageModel | EncoderDecoderModel,
  prompt: readonly number[],
  read: () => { source: tf.Tensor; mask?: tf.Tensor | undefined },
) {
  if (!isEncoderDecoder(network)) {
    const scores = (ids: tf.Tensor, ctx: ForwardContext) => network.forward(ids, ctx);
    return { scores, start: prompt, dispose: () => {} };
  }
  const encoded = tf.tidy(() => {
    const { source, mask: attentionMask } = read();
    const { states } = network.encode(source, attentionMask ? { attentionMask } : {});
    return { states, ...(attentionMask && { attentionMask }) };
  });
  return {
    scores: (ids: tf.Tensor, ctx: ForwardContext) => network.decode(ids, encoded, ctx),
    start: [network.startId],
    dispose: () => tf.dispose(Object.values(encoded)),
  };
}
