// Compares our sentence embeddings of real models with those of sentence-transformers; exits with 1 below the bound.
// usage: node apps/cli/scripts/sentence-embeddings.mjs FOLDER, the checkpoint of all-MiniLM-L6-v2 or all-mpnet-base-v2;
// `pnpm goldens minilm` leaves both
import { readFileSync } from 'node:fs';
import { start } from '@headwise/kernels';
import { readSafetensors } from '@headwise/safetensors';
import { embed, loadEmbeddingModel } from '@headwise/text/node';

const bound = 0.9999;
/** What was computed by the width of its vectors, and which sentences it is of. */
const goldens = {
  384: { file: 'embeddings.safetensors', every: 1 },
  768: { file: 'mpnet.safetensors', every: 4 },
};

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node apps/cli/scripts/sentence-embeddings.mjs FOLDER');
  process.exit(2);
}
const golden = (file) => new URL(`../../../tools/goldens/minilm/${file}`, import.meta.url);

const { backend } = await start();
const { model, tokenizer } = await loadEmbeddingModel(folder);
const { file, every } = goldens[model.config.hidden_size];
const expected = readSafetensors(readFileSync(golden(file)));
const { data, shape } = expected.get('embeddings');
const all = JSON.parse(readFileSync(golden('sentences.json'), 'utf8'));
const sentences = all.filter((_, i) => i % every === 0);
const vectors = await embed(model, tokenizer, sentences, { truncate: true });
model.params.dispose();

const width = shape[1];
const cosines = vectors.map((ours, row) =>
  cosine(ours, data.subarray(row * width, (row + 1) * width)),
);
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
