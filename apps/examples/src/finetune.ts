import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkExamples } from '@headwise/data';
import { start } from '@headwise/kernels';
import { createModel } from '@headwise/models';
import { finetuneWork, parseFinetuneConfig, prepareFinetune, Session } from '@headwise/runs';
import { finetuneFolder } from '@headwise/runs/node';
import { trainCharacter } from '@headwise/tokenizers';

await start({ prefer: 'cpu' });
const training = { steps: 20, batchSize: 4, learningRate: 0.02 };
const config = parseFinetuneConfig({ method: 'lora', adapter: { rank: 4 }, training });
const words = ['abc', 'bca', 'cab', 'acb', 'bac', 'cba', 'aab', 'bbc', 'cca', 'abb'];
// As a file has them: readExamples(bytes, name, formats) reads one of JSON lines or Parquet.
const rows = words.map((word) => ({ prompt: `${word}?`, completion: word }));
const examples = checkExamples(rows, { name: 'rows', accepted: ['completion'] });
const tokenizer = await trainCharacter(['abc?.']);
const model = createModel({ model_type: 'gpt2', n_embd: 16, n_head: 2, n_layer: 1, vocab_size: 6 });
const endId = tokenizer.tokenToId('.');
const data = await prepareFinetune(config, { examples, tokenizer, endId }, model);
const path = join(await mkdtemp(join(tmpdir(), 'finetune-')), 'adapter');
const folder = await finetuneFolder(path, { config });
const session = await Session.of(finetuneWork(config, data, model), folder);
await session.begin(); // measures on the examples that are set aside
while (await session.advance());
const losses = folder.history.flatMap((entry) => ('loss' in entry ? [entry.loss] : []));
console.log(losses.at(-1)! < losses[0]!); // true
session.dispose();
await folder.release(); // the adapter is there, as PEFT loads it
