import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the documents that the rules are compared on. */
export async function prepare(work) {
  const { evaluationOf, mixedDocuments } = await import(
    '../../../packages/data/dist/goldens/mixed-documents.node.js'
  );
  const documents = mixedDocuments(2000);
  const texts = documents.map(({ text }) => text);
  const made = { texts: join(work, 'texts.json'), evaluation: join(work, 'evaluation.json') };
  writeFileSync(made.texts, JSON.stringify(texts));
  writeFileSync(made.evaluation, JSON.stringify({ texts, examples: evaluationOf(documents) }));
  return made;
}
