import { type GenerateOptions, generate, promptLookup } from '@headwise/generation';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';

await start();
const sizes = { vocab_size: 50, n_positions: 64, n_embd: 16, n_layer: 1, n_head: 2 };
const { network } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });

async function write(options: GenerateOptions): Promise<number[]> {
  const ids: number[] = [];
  const prompt = [7, 21, 3, 14, 9, 7, 21, 3];
  for await (const id of generate(network, prompt, { maxNewTokens: 12, ...options })) ids.push(id);
  return ids;
}
const plain = await write({ seed: 3 });
const drafted = await write({ seed: 3, speculation: promptLookup() }); // n-grams of the text so far
console.log(drafted.length, drafted.join() === plain.join()); // 12 true
