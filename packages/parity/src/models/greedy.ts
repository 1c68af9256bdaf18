import {
  type EncoderDecoderModel,
  type ForwardContext,
  isEncoderDecoder,
  type LanguageModel,
  readTensor,
} from '@headwise/core';
import { KeyValueCache } from '@headwise/decoding';
import * as tf from '@tensorflow/tfjs';

/** Tokens that a model appends to a prompt, or gives for a source, each the best after those before it. */
export interface Greedy {
  readonly prompt: readonly number[];
  /** What the first token is whatever the scores say, as that of a language. */
  readonly forced?: number | undefined;
  readonly tokens: readonly number[];
}

/** The best tokens after a prompt, read into a cache one after the other. */
export async function greedyTokens(
  network: LanguageModel | EncoderDecoderModel,
  { prompt, forced, tokens }: Greedy,
): Promise<number[]> {
  const cache = new KeyValueCache();
  const made: number[] = [];
  const { scores, start, dispose } = scorer(network, prompt);
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

/** How a model scores tokens, and what it reads first. */
function scorer(network: LanguageModel | EncoderDecoderModel, prompt: readonly number[]) {
  if (!isEncoderDecoder(network)) {
    const scores = (ids: tf.Tensor, ctx: ForwardContext) => network.forward(ids, ctx);
    return { scores, start: prompt, dispose: () => {} };
  }
  const encoded = tf.tidy(() => {
    const { states } = network.encode(tf.tensor2d([...prompt], [1, prompt.length], 'int32'));
    return { states };
  });
  return {
    scores: (ids: tf.Tensor, ctx: ForwardContext) => network.decode(ids, encoded, ctx),
    start: [network.startId],
    dispose: () => encoded.states.dispose(),
  };
}
