import { perplexity, score } from '@headwise/generation';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';

await start();
const sizes = { vocab_size: 50, n_positions: 16, n_embd: 16, n_layer: 1, n_head: 2 };
const { network } = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });

const { tokens, logProbability } = await score(network, [7, 21, 3], [14, 9]);
const sum = tokens.reduce((total, token) => total + token.logProbability, 0);
console.log(tokens.length, Math.abs(sum - logProbability) < 1e-6); // 2 true

const text = Array.from({ length: 40 }, (_, i) => (i * 7) % 50); // longer than the context: read in windows
const { perplexity: value } = await perplexity(network, text, { stride: 8 });
console.log(value > 40 && value < 60); // true
