import { candidates, generate } from '@headwise/generation';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';

await start();
const sizes = { vocab_size: 50, n_positions: 16, n_embd: 16, n_layer: 1, n_head: 2 };
const { network } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });

const ids: number[] = [];
for await (const id of generate(network, [1, 2, 3], { topK: 10, seed: 7, maxNewTokens: 20 })) {
  ids.push(id); // as each comes
}
console.log(ids.length); // 20

const scores = [0.5, 0.3, 0.15, 0.05].map(Math.log);
const kept = candidates(scores, { topP: 0.7 });
console.log(kept.map(({ id, probability }) => [id, +probability.toFixed(3)])); // [ [ 0, 0.625 ], [ 1, 0.375 ] ]
