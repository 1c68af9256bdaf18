// Plans the table of docs/checkpoints.md anew: `pnpm sizes`.
import { readFile, writeFile } from 'node:fs/promises';
import { checkpoints } from './checkpoints.js';
import { markdown, rowOf, withTable } from './table.js';

const document = new URL('../../../../docs/checkpoints.md', import.meta.url);
const rows: string[][] = [];
for (const checkpoint of checkpoints) {
  console.error(checkpoint.name);
  rows.push(await rowOf(checkpoint));
}
await writeFile(document, withTable(await readFile(document, 'utf8'), markdown(rows)));
