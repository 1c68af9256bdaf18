import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packTokenIds, shuffledBatches, tokenWindows } from '@headwise/data';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { saveModel } from '@headwise/models/node';
import { generateText, load, streamText } from '@headwise/text/node';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import { saveTokenizer } from '@headwise/tokenizers/node';
import { AdamW, causalLanguageModel, constantRate, train } from '@headwise/training';

await start(); // the GPU where there is one

const text = 'Call me Ishmael. Some years ago, never mind how long precisely. '.repeat(20);
const tokenizer = await trainByteLevelBpe([text], { vocabSize: 288 });
const sizes = { vocab_size: 288, n_positions: 16, n_embd: 32, n_layer: 2, n_head: 4 };
const model = createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 });
const ids = packTokenIds(tokenizer.encode(text).ids, tokenizer);
const run = train({
  objective: causalLanguageModel(model.network),
  params: model.params.named(),
  optimizer: new AdamW(model.params.named()),
  schedule: constantRate(0.01),
  batches: shuffledBatches(tokenWindows(ids, { length: 16 }), { batchSize: 4, seed: 1 }),
  steps: 60,
});
for await (const { step, loss } of run) console.error(step, loss);
const folder = await mkdtemp(join(tmpdir(), 'ishmael-'));
await saveModel(folder, model); // in the layout of Hugging Face
await saveTokenizer(tokenizer, join(folder, 'tokenizer.json'));

const loaded = await load(folder); // or any folder with a model, on disk or on the web
const options = { temperature: 0, maxNewTokens: 4 };
const continuation = await generateText(loaded.model, loaded.tokenizer, 'Call me', options);
console.log(`Call me${continuation}`); // Call me Ishmael.
const stream = streamText(loaded.model, loaded.tokenizer, 'Some years', { seed: 1 });
for await (const piece of stream) process.stderr.write(piece.text); // as each token comes
