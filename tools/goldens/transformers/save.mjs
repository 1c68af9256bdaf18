// Loads every tiny checkpoint that this package knows, and saves it into a folder of the same name: save.mjs FOLDER
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { families } from '../../../packages/models/dist/index.js';
import { loadModel, saveModel } from '../../../packages/models/dist/node.js';

const goldens = new URL('../../../packages/parity/goldens/', import.meta.url).pathname;
const [, , to] = process.argv;
for (const name of readdirSync(goldens)) {
  const from = join(goldens, name);
  const config = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8'));
  if (!Object.hasOwn(families, config.model_type)) continue;
  const model = await loadModel(from);
  mkdirSync(join(to, name), { recursive: true });
  // Small shards, so that the index is read too.
  await saveModel(join(to, name), model, { shardBytes: 30_000 });
  model.params.dispose();
}
