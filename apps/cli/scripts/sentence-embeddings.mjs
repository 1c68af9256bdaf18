// Compares our sentence embeddings of all-MiniLM-L6-v2 with those of sentence-transformers; exits with 1 below the bound.
// usage: node apps/cli/scripts/sentence-embeddings.mjs FOLDER, the checkpoint; `pnpm goldens minilm` leaves one
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { start } from '@headwise/kernels';
import { sentenceEmbeddings } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { readSafetensors } from '@headwise/safetensors';
import { loadTokenizer } from '@headwise/tokenizers/node';
import * as tf from '@tensorflow/tfjs';

const bound = 0.9999;
const batchSize = 20;

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node apps/cli/scripts/sentence-embeddings.mjs FOLDER');
  process.exit(2);
}
const golden = (file) => new URL(`../../../tools/goldens/minilm/${file}`, import.meta.url);
const sentences = JSON.parse(readFileSync(golden('sentences.json'), 'utf8'));
const expected = readSafetensors(readFileSync(golden('embeddings.safetensors')));
const { data, shape } = expected.get('embeddings');

const { backend } = await start();
const tokenizer = await loadTokenizer(join(folder, 'tokenizer.json'));
const { network, params } = await loadModel(folder);

const cosines = [];
for (let first = 0; first < sentences.length; first += batchSize) {
  const texts = sentences.slice(first, first + batchSize);
  // As sentence-transformers sets it: the file itself says 128.
  const encodings = tokenizer.encodeBatch(texts, { truncation: { maxLength: 256 }, padding: {} });
  const tensor = (rows) => tf.tensor2d(rows, [texts.length, rows[0].length], 'int32');
  const ids = tensor(encodings.map((encoding) => [...encoding.ids]));
  const attentionMask = tensor(encodings.map((encoding) => [...encoding.attentionMask]));
  const vectors = sentenceEmbeddings(network, ids, { attentionMask });
  const values = await vectors.data();
  const width = shape[1];
  for (let row = 0; row < texts.length; row++) {
    const ours = values.subarray(row * width, (row + 1) * width);
    const theirs = data.subarray((first + row) * width, (first + row + 1) * width);
    cosines.push(cosine(ours, theirs));
  }
  tf.dispose([ids, attentionMask, vectors]);
}
params.dispose();

const lowest = cosines.indexOf(Math.min(...cosines));
console.log(
  `${sentences.length} sentences on ${backend}, against ${expected.metadata.source} ${expected.metadata['sentence-transformers']}`,
);
console.log(`lowest cosine ${cosines[lowest]}, of ${JSON.stringify(sentences[lowest])}`);
console.log(cosines[lowest] >= bound ? `all at least ${bound}` : `below ${bound}`);
process.exitCode = cosines[lowest] >= bound ? 0 : 1;

function cosine(a, b) {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  return dot / Math.sqrt(aa * bb);
}
