import { generate, PrefixCache } from '@headwise/generation';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';

await start();
const sizes = { vocab_size: 50, n_positions: 16, n_embd: 16, n_layer: 1, n_head: 2 };
const { network } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });

const prefixCache = new PrefixCache(network, { maxBytes: 2 ** 28 });
const system = [7, 21, 3, 14, 9];
const stored: number[] = [];
for (const question of [
  [4, 2],
  [30, 1, 6],
]) {
  const prompt = [...system, ...question];
  stored.push(prefixCache.match(prompt)); // so many of its first tokens do not run again
  for await (const id of generate(network, prompt, { prefixCache, maxNewTokens: 3 })) {
    console.assert(id < 50);
  }
}
console.log(stored); // [ 0, 5 ]
prefixCache.dispose();
