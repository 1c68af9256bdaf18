import {
  type CacheStorage,
  InputError,
  KeyValueCache,
  type LanguageModel,
  nextTask,
  Random,
  readTensor,
} from '@headwise/core';
import { checkedSampling, type SamplingOptions, sampleTokens } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';

export interface GenerateOptions extends SamplingOptions {
  /** Default 64. */
  maxNewTokens?: number;
  /** The same seed draws the same tokens; default 0. */
  seed?: number;
  /** Generation ends before any of these. */
  stopIds?: readonly number[];
  /** How keys and values of past tokens are kept: f16 takes half the memory, on WebGPU; default f32. */
  storage?: CacheStorage;
  /** Ends generation from outside, before the next token. */
  signal?: AbortSignal;
}

/**
 * Continues a sequence of tokens; yields each new one.
 *
 * Keys and values of past tokens are cached, so that a token costs one position; on WebGPU it is drawn
 * there, and only its id is read. Penalties are for the prompt and what was made. Where the sequence
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
  const { maxNewTokens = 64, seed = 0, stopIds = [], storage = 'f32', signal } = options;
  checkPrompt(network, prompt);
  if (!(Number.isInteger(maxNewTokens) && maxNewTokens >= 0)) {
    throw new InputError(`maxNewTokens is ${maxNewTokens}; expected a whole number of at least 0`);
  }
  const { repetitionPenalty, frequencyPenalty, presencePenalty } = checkedSampling(options);
  const penalised = repetitionPenalty !== 1 || frequencyPenalty !== 0 || presencePenalty !== 0;
  const random = new Random(seed);
  const sequence = [...prompt];
  let cache = new KeyValueCache({ storage });
  let unseen = sequence.slice();
  try {
    for (let made = 0; made < maxNewTokens && !signal?.aborted; made++) {
      if (cache.length + unseen.length > network.maxLength) {
        cache.dispose();
        cache = new KeyValueCache({ storage });
        unseen = sequence.slice(-Math.max(1, network.maxLength >> 1));
      }
      const history = penalised ? sequence : [];
      const id = await nextToken(network, { unseen, cache, history, options, random });
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

interface Position {
  /** The tokens that the cache does not hold, at least one. */
  unseen: readonly number[];
  cache: KeyValueCache;
  /** The tokens that penalties are for. */
  history: readonly number[];
  options: SamplingOptions;
  random: Random;
}

/** Draws the token after the last of the unseen ones. */
async function nextToken(
  network: LanguageModel,
  { unseen, cache, history, options, random }: Position,
): Promise<number> {
  const drawn = tf.tidy(() => {
    const { length } = unseen;
    const logits = network.forward(tf.tensor2d([...unseen], [1, length], 'int32'), { cache });
    const last = logits.slice([0, length - 1, 0], [1, 1, network.vocabSize]);
    const scores = last.reshape<tf.Tensor2D>([1, network.vocabSize]);
    return sampleTokens(scores, options, random.nextUint32(), padded(history));
  });
  const [id] = await readTensor(drawn);
  drawn.dispose();
  return id!;
}

/** Ids with −1 after them, up to a multiple of 256: buffers of few sizes, which are used again. */
function padded(ids: readonly number[]): tf.Tensor2D {
  const size = Math.ceil(ids.length / 256) * 256;
  const values = new Int32Array(size).fill(-1);
  values.set(ids);
  return tf.tensor2d(values, [1, size], 'int32');
}
