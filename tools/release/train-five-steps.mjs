// Trains a small GPT for five steps with the packages installed beside it, on the best backend of this machine.
import assert from 'node:assert/strict';
import { readTensor } from '@headwise/core';
import { packTokenIds, shuffledBatches, tokenWindows } from '@headwise/data';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { trainCharacter } from '@headwise/tokenizers';
import { AdamW, causalLanguageModel, constantRate, train } from '@headwise/training';

const { backend, adapter } = await start();
const text = 'How much wood would a woodchuck chuck if a woodchuck could chuck wood? '.repeat(20);
const tokenizer = await trainCharacter([text]);
const ids = packTokenIds(tokenizer.encode(text).ids, tokenizer);
// Without dropout and on one batch, only what is learnt lowers the loss.
const batch = shuffledBatches(tokenWindows(ids, { length: 32 }), { batchSize: 8 }).at(0);
const sizes = { n_positions: 32, n_embd: 32, n_layer: 2, n_head: 2 };
const dropout = { embd_pdrop: 0, resid_pdrop: 0, attn_pdrop: 0 };
const config = { model_type: 'gpt2', vocab_size: tokenizer.vocabSize, ...sizes, ...dropout };
const model = createModel(config, { seed: 1 });
const [network, params] = [model.network, model.params.named()];
const objective = causalLanguageModel(network);
const learning = { optimizer: new AdamW(params), schedule: constantRate(0.01), steps: 5 };

const losses = [];
for await (const step of train({ objective, params, batches: { at: () => batch }, ...learning })) {
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
