// Trains a small GPT for five steps with the packages installed beside it, on the best backend of this machine.
import assert from 'node:assert/strict';
import { Random, readTensor, startBackend } from '@headwise/core';
import { packTokenIds, shuffledBatches, windows } from '@headwise/data';
import { registerKernels } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { trainCharacter } from '@headwise/tokenizers';
import { AdamW, constantRate, train } from '@headwise/training';

const { backend, adapter } = await startBackend();
if (backend === 'webgpu') registerKernels();
const text = 'How much wood would a woodchuck chuck if a woodchuck could chuck wood? '.repeat(20);
const tokenizer = await trainCharacter([text]);
const ids = packTokenIds(tokenizer.encode(text).ids, tokenizer);
const batches = shuffledBatches(windows(ids, { length: 32 }), { batchSize: 8 });
const sizes = { vocab_size: tokenizer.vocabSize, n_positions: 32, n_embd: 32 };
const model = createModel({ model_type: 'gpt2', ...sizes, n_layer: 2, n_head: 2 }, { seed: 1 });
const [network, params] = [model.network, model.params.named()];
const learning = { optimizer: new AdamW(params), schedule: constantRate(0.01), steps: 5 };

const losses = [];
for await (const step of train({ network, params, batches, ...learning, random: new Random(1) })) {
  assert.ok(Number.isFinite(step.loss) && Number.isFinite(step.gradientNorm), JSON.stringify(step));
  losses.push(step.loss);
}
assert.equal(losses.length, 5);
assert.ok(losses[4] < losses[0], `the loss did not fall: ${losses.join(' ')}`);
for (const [path, variable] of Object.entries(params)) {
  assert.ok((await readTensor(variable)).every(Number.isFinite), `${path} is not finite`);
}
const fall = losses.map((loss) => loss.toFixed(3)).join(' ');
console.log(`${backend}${adapter ? ` (${adapter})` : ''}: loss ${fall}`);
