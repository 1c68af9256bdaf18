import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkExamples } from '@headwise/data';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import {
  finetuneWork,
  methodFormats,
  parseFinetuneConfig,
  prepareFinetune,
  Session,
} from '@headwise/runs';
import { finetuneFiles, finetuneIdentity, RunFolder } from '@headwise/runs/node';
import { trainCharacter } from '@headwise/tokenizers';

await start({ prefer: 'cpu' });
const config = parseFinetuneConfig({
  method: 'lora',
  adapter: { rank: 4 },
  training: { steps: 20, batchSize: 4, learningRate: 0.02 },
});

// As a file of JSON lines has them: parseExamples(bytes, name, formats) reads one.
const rows = ['abc', 'bca', 'cab', 'acb', 'bac', 'cba', 'aab', 'bbc', 'cca', 'abb'].map((word) => ({
  prompt: `${word}?`,
  completion: word,
}));
const examples = checkExamples(rows, { name: 'rows', accepted: methodFormats(config.method) });
const tokenizer = await trainCharacter(['abc?.']);
const model = createModel({
  model_type: 'llama',
  vocab_size: tokenizer.vocabSize,
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
});

const data = await prepareFinetune(
  config,
  { examples, tokenizer, endId: tokenizer.tokenToId('.') },
  model,
);
const inputs = { config, base: 'none', examples: 'none' }; // hashes of the weights and of the file
const path = join(await mkdtemp(join(tmpdir(), 'finetune-')), 'adapter');
const folder = await RunFolder.of(path, finetuneIdentity(inputs), { resume: true });
await folder.begin(finetuneFiles(inputs));
const session = await Session.of(finetuneWork(config, data, model), folder);
await session.begin(); // measures on the examples that are set aside
while (await session.advance());
const losses = folder.history.flatMap((entry) => ('loss' in entry ? [entry.loss] : []));
console.log(losses.at(-1)! < losses[0]!); // true
session.dispose();
await folder.release(); // the adapter is there, as PEFT loads it
