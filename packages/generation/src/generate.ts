import {
  InputError,
  KeyValueCache,
  type LanguageModel,
  nextTask,
  Random,
  readTensor,
} from '@headwise/core';
import {
  checkIdValues,
  penalises,
  type SamplingOptions,
  sampleTokens,
  vocabularyOf,
} from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import { type GenerateOptions, planOf } from './options.js';
import { bannedIds, forcedId } from './restrictions.js';

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
 * const decoder = tokenizer.decodeStream(); // a character may take several tokens
 * for await (const id of generate(network, tokenizer.encode('Call me').ids, { topP: 0.9, seed: 1 })) {
 *   process.stdout.write(decoder.push(id));
 * }
 */
export async function* generate(
  network: LanguageModel,
  prompt: readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<number> {
  checkPrompt(network, prompt);
  const plan = planOf(network, prompt.length, options);
  const { storage, stopIds, sampling } = plan;
  const random = new Random(plan.seed);
  const sequence = [...prompt];
  let cache = new KeyValueCache({ storage });
  let unseen = sequence.slice();
  try {
    for (let made = 0; made < plan.most && !plan.signal?.aborted; made++) {
      let id = forcedId(plan, sequence.length, made);
      if (id === undefined) {
        if (cache.length + unseen.length > network.maxLength) {
          cache.dispose();
          cache = new KeyValueCache({ storage });
          unseen = sequence.slice(-Math.max(1, network.maxLength >> 1));
        }
        const banned = bannedIds(plan, sequence, made);
        id = await nextToken(network, {
          unseen,
          cache,
          history: sequence,
          banned,
          sampling,
          random,
        });
        unseen = [];
      }
      if (stopIds.includes(id)) return;
      yield id;
      await nextTask();
      sequence.push(id);
      unseen.push(id);
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
  checkIdValues(prompt, vocabularyOf(vocabSize));
}

interface Position {
  /** The tokens that the cache does not hold, at least one. */
  unseen: readonly number[];
  cache: KeyValueCache;
  /** The tokens that penalties are for. */
  history: readonly number[];
  /** The tokens that are not drawn. */
  banned: ReadonlySet<number>;
  sampling: Required<SamplingOptions>;
  random: Random;
}

/** Draws the token after the last of the unseen ones. */
async function nextToken(
  network: LanguageModel,
  { unseen, cache, history, banned, sampling, random }: Position,
): Promise<number> {
  const drawn = tf.tidy(() => {
    const { length } = unseen;
    const logits = network.forward(tf.tensor2d([...unseen], [1, length], 'int32'), { cache });
    const last = logits.slice([0, length - 1, 0], [1, 1, network.vocabSize]);
    const scores = last.reshape<tf.Tensor2D>([1, network.vocabSize]);
    return sampleTokens(scores, sampling, random.nextUint32(), {
      history: penalises(sampling) ? padded(history) : undefined,
      banned: banned.size > 0 ? padded([...banned]) : undefined,
    });
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
