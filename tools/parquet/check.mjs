// Writes documents as `headwise data filter` does, as Parquet in both compressions, and compares what pyarrow reads.
//
//   node tools/parquet/check.mjs PYTHON
//
// PYTHON has pyarrow. Ends with 1 where a value, a column or the schema differs.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const { resolve } = createRequire(join(here, '../../apps/cli/package.json'));
const { filterDocuments } = await import(pathToFileURL(resolve('@headwise/data/node')));
const [python = 'python3'] = process.argv.slice(2);

const work = mkdtempSync(join(tmpdir(), 'headwise-parquet-'));
const documents = Array.from({ length: 6000 }, (_, i) => ({
  id: `sea:${i}`,
  text:
    i % 50 === 7 ? '' : `\ufeffWhale ${i} 🐳 — 鯨\n${'So be cheery, my lads. '.repeat(i % 300)}`,
  url: `https://sea.net/${i}`,
  at: { lines: [i, 0.5, null], 'a "key"': true },
}));
const raw = join(work, 'raw.jsonl');
writeFileSync(raw, documents.map((each) => JSON.stringify(each)).join('\n'));

const results = [];
for (const gzip of [false, true]) {
  const out = join(work, gzip ? 'gzip' : 'snappy');
  const steps = [{ step: 'replace-pii' }];
  await filterDocuments([raw], out, { steps, format: 'parquet', gzip });
  const parts = readdirSync(join(out, 'documents')).map((name) => join(out, 'documents', name));
  const found = JSON.parse(
    execFileSync(python, [join(here, 'read.py'), raw, ...parts], { encoding: 'utf8' }),
  );
  const bytes = parts.reduce((sum, part) => sum + statSync(part).size, 0);
  results.push({ ...found, bytes });
}
const { hyparquet, writer } = {
  hyparquet: versionOf('hyparquet'),
  writer: versionOf('hyparquet-writer'),
};
const record = {
  versions: { node: process.version, hyparquet, 'hyparquet-writer': writer },
  results,
};
writeFileSync(join(here, 'result.json'), `${JSON.stringify(record, null, 2)}\n`);
console.log(JSON.stringify(record, null, 2));
process.exitCode = results.every(({ equal }) => equal) ? 0 : 1;

function versionOf(name) {
  const { dependencies } = JSON.parse(
    execFileSync('pnpm', ['ls', name, '--json', '--depth', '0'], {
      cwd: join(here, '../../packages/data'),
      encoding: 'utf8',
    }),
  )[0];
  return dependencies[name].version;
}
