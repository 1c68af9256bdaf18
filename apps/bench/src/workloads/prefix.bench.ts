import { KeyValueCache } from '@headwise/decoding';
import { PrefixCache } from '@headwise/generation';
import { createModel } from '@headwise/models';
import type { Contestants, Workload } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';

/** Tokens that all prompts begin with, and those of each one's own. */
const shared = 512;
const own = 8;

/** Two layers of GPT-2 small: all of its twelve take as many times longer, with the cache and without. */
const config = { model_type: 'gpt2', n_layer: 2 } as const;

/** The prefill of a prompt whose beginning is stored, and of the same prompt from its first token. */
function contestants(): Contestants {
  const { network, params } = createModel(config, { seed: 1 });
  const prefixCache = new PrefixCache(network);
  let count = 0;
  const prompt = () => {
    count++;
    return Array.from(
      { length: shared + own },
      (_, i) => (i * 7919 + (i < shared ? 0 : count * 101) + 464) % network.vocabSize,
    );
  };
  const run = ([ids]: readonly (readonly number[])[], cache: KeyValueCache) =>
    tf.tidy(() => {
      const hidden = network.head!.hidden(tf.tensor2d([...ids!], [1, ids!.length], 'int32'), {
        cache,
      });
      return hidden.slice([0, ids!.length - 1, 0], [1, 1, 1]);
    });
  /** Waits for a number that depends on all keys and values. */
  const prefill = async (work: (cache: KeyValueCache) => tf.Tensor) => {
    const cache = new KeyValueCache();
    const last = work(cache);
    await last.data();
    last.dispose();
    cache.dispose();
  };
  const ours = () => prefill((cache) => prefixCache.prefill(network, [prompt()], cache, run));
  return {
    ours,
    peers: { plain: () => prefill((cache) => run([prompt()], cache)) },
    dispose: () => {
      prefixCache.dispose();
      params.dispose();
    },
  };
}

export const workloads: Workload[] = [
  { name: 'generate/prefix-512', backends: ['webgpu', 'wasm'], prepare: contestants },
];
