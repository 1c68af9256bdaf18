import {
  InputError,
  KeyValueCache,
  type LanguageModel,
  nextTask,
  Random,
  readTensor,
} from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { checkSampling, type SamplingOptions, sample } from './sample.js';

export interface GenerateOptions extends SamplingOptions {
  /** Default 64. */
  maxNewTokens?: number;
  /** The same seed draws the same tokens; default 0. */
  seed?: number;
  /** Generation ends before any of these. */
  stopIds?: readonly number[];
  /** Ends generation from outside, before the next token. */
  signal?: AbortSignal;
}

/**
 * Continues a sequence of tokens; yields each new one.
 *
 * Keys and values of past tokens are cached, so that a token costs one position. Where the sequence
 * grows beyond the model's `maxLength`, it goes on from its newer half.
 *
 * @param prompt ids in [0, V), at least one and at most `maxLength`
 * @throws InputError for a prompt that is empty, too long, or outside the vocabulary, and for options
 * out of range
 * @example
 * for await (const id of generate(network, tokenizer.encode('Call me').ids, { topP: 0.9, seed: 1 })) {
 *   process.stdout.write(tokenizer.decode([id]));
 * }
 */
export async function* generate(
  network: LanguageModel,
  prompt: readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<number> {
  const { maxNewTokens = 64, seed = 0, stopIds = [], signal } = options;
  checkPrompt(network, prompt);
  checkSampling(options);
  if (!(Number.isInteger(maxNewTokens) && maxNewTokens >= 0)) {
    throw new InputError(`maxNewTokens is ${maxNewTokens}; expected a whole number of at least 0`);
  }
  const random = new Random(seed);
  const sequence = [...prompt];
  let cache = new KeyValueCache();
  let unseen = sequence.slice();
  try {
    for (let made = 0; made < maxNewTokens && !signal?.aborted; made++) {
      if (cache.length + unseen.length > network.maxLength) {
        cache.dispose();
        cache = new KeyValueCache();
        unseen = sequence.slice(-Math.max(1, network.maxLength >> 1));
      }
      const id = sample(await lastScores(network, unseen, cache), options, random);
      if (stopIds.includes(id)) return;
      yield id;
      await nextTask();
      sequence.push(id);
      unseen = [id];
    }
  } finally {
    cache.dispose();
  }
}

/**
 * Throws unless a model can read a prompt.
 *
 * @throws InputError naming the first id outside the vocabulary, or both lengths
 */
export function checkPrompt(
  network: Pick<LanguageModel, 'vocabSize' | 'maxLength'>,
  prompt: readonly number[],
): void {
  const { vocabSize, maxLength } = network;
  if (prompt.length === 0) throw new InputError('the prompt is empty; expected at least one token');
  if (prompt.length > maxLength) {
    throw new InputError(
      `the prompt has ${prompt.length} tokens; the model's context holds ${maxLength}`,
    );
  }
  const at = prompt.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  if (at >= 0) {
    throw new InputError(
      `id ${prompt[at]} at position ${at} is outside the vocabulary of ${vocabSize} tokens`,
    );
  }
}

/** The scores after the last of some new tokens, `[V]`. */
async function lastScores(
  network: LanguageModel,
  ids: readonly number[],
  cache: KeyValueCache,
): Promise<ArrayLike<number>> {
  const scores = tf.tidy(() => {
    const logits = network.forward(tf.tensor2d([...ids], [1, ids.length], 'int32'), { cache });
    return logits.slice([0, ids.length - 1, 0], [1, 1, network.vocabSize]);
  });
  const values = await readTensor(scores);
  scores.dispose();
  return values;
}
