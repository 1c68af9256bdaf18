import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the lines that every tokenizer encodes. */
export async function prepare(work) {
  const { corpusLines } = await import('../../../packages/tokenizers/dist/goldens/corpus.node.js');
  const corpus = join(work, 'corpus.json');
  writeFileSync(corpus, JSON.stringify(corpusLines()));
  return { corpus };
}
