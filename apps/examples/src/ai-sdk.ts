import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { languageModel } from '@headwise/ai-sdk';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { saveModel } from '@headwise/models/node';
import { load } from '@headwise/text/node';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import { saveTokenizer } from '@headwise/tokenizers/node';
import { generateText, streamText } from 'ai';

await start(); // the GPU where there is one

const folder = await mkdtemp(join(tmpdir(), 'tiny-')); // or any folder with a model
const tokenizer = await trainByteLevelBpe(['Call me Ishmael.'], { vocabSize: 260 });
const sizes = { vocab_size: 260, n_positions: 64, n_embd: 16, n_layer: 1, n_head: 2 };
await saveModel(folder, createModel({ model_type: 'gpt2', ...sizes }, { seed: 1 }));
await saveTokenizer(tokenizer, join(folder, 'tokenizer.json'));

const model = languageModel(await load(folder), { modelId: 'tiny' });
const settings = { model, prompt: 'Call me', temperature: 0.8, seed: 1, maxOutputTokens: 8 };
const { text, usage } = await generateText(settings);
console.log(usage.outputTokens); // 8
let streamed = '';
for await (const delta of streamText(settings).textStream) streamed += delta;
console.log(streamed === text); // true
