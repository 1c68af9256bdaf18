import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shardBatches } from '@headwise/data';
import { deduplicate, filterDocuments, openShards, tokenizeDocuments } from '@headwise/data/node';
import { trainByteLevelBpe } from '@headwise/tokenizers';

const work = await mkdtemp(join(tmpdir(), 'corpus-'));
const at = (name: string) => join(work, name);
const names = ['Ahab', 'Starbuck', 'Stubb', 'Flask', 'Queequeg'];
const texts = Array.from({ length: 20 }, (_, i) =>
  i % 4 === 3 ? 'Menu' : `${names[i % 5]} had to see that the crew of the ship would be with him.`,
);
await writeFile(at('raw.jsonl'), texts.map((text) => JSON.stringify({ text })).join('\n'));

const steps = [{ step: 'gopher-quality', minWords: 5 }, { step: 'replace-pii' }];
const { read, kept } = await filterDocuments([at('raw.jsonl')], at('clean'), {
  steps,
  format: 'parquet',
});
console.log(read.documents, kept.documents); // 20 15
const unique = await deduplicate([at('clean/documents')], at('unique'), { method: 'exact' });
console.log(unique.kept); // 5
const tokenizer = await trainByteLevelBpe(texts, { vocabSize: 300, specialTokens: ['<end>'] });
const { documents } = await tokenizeDocuments([at('unique/documents')], at('shards'), {
  tokenizer,
  end: '<end>',
});
console.log(documents); // 5

const shards = await openShards(at('shards'));
const source = { shards, start: 0, end: shards.length, weight: 1 };
const batches = shardBatches([source], { length: 8, batchSize: 2, seed: 1 });
console.log((await batches.at(1000)).shape); // [ 2, 8 ]
