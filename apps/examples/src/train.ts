import { packTokenIds, shuffledBatches, tokenWindows } from '@headwise/data';
import { generate } from '@headwise/generation';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import { AdamW, causalLanguageModel, train, warmupCosine } from '@headwise/training';

await start();

const text = 'Call me Ishmael. Some years ago, never mind how long precisely. '.repeat(20);
const tokenizer = await trainByteLevelBpe([text], { vocabSize: 288 });
const { vocabSize } = tokenizer;
const ids = packTokenIds(tokenizer.encode(text).ids, { vocabSize });

const sizes = { vocab_size: vocabSize, n_positions: 16, n_embd: 32, n_layer: 2, n_head: 4 };
const dropout = { embd_pdrop: 0, resid_pdrop: 0, attn_pdrop: 0 };
const { params, network } = createModel({ model_type: 'gpt2', ...sizes, ...dropout }, { seed: 1 });

const steps = 40;
const losses: number[] = [];
const run = train({
  objective: causalLanguageModel(network),
  params: params.named(),
  optimizer: new AdamW(params.named()),
  schedule: warmupCosine({ peak: 1e-2, warmupSteps: 4, totalSteps: steps }),
  batches: shuffledBatches(tokenWindows(ids, { length: 16 }), { batchSize: 4, seed: 1 }),
  steps,
});
for await (const { loss } of run) losses.push(loss);
console.log(losses.length, losses.at(-1)! < 1); // 40 true

const prompt = tokenizer.encode('Call me').ids;
const written: number[] = [];
for await (const id of generate(network, prompt, { temperature: 0, maxNewTokens: 4 })) {
  written.push(id);
}
console.log(`Call me${tokenizer.decode(written)}`); // Call me Ishmael.
