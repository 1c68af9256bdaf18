import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { headwiseHere, jsonLines, temporaryFolder } from './headwise.js';

/** Prose, in which every third text repeats an earlier one, and lists. */
function writeRaw(folder: string): void {
  const names = ['captain', 'mate', 'harpooneer', 'cook', 'carpenter', 'steward', 'smith'];
  const lines = Array.from({ length: 90 }, (_, i) => {
    const n = i % 3 === 2 ? i - 1 : i;
    const prose = names
      .map(
        (name, k) =>
          `The ${name} of boat ${letters(n * 7 + k)} had to see that the crew would be with him at sea.`,
      )
      .join(' ');
    return JSON.stringify({ key: i, body: i % 10 === 0 ? '- a whale\n'.repeat(30) : prose });
  });
  writeFileSync(join(folder, 'raw.jsonl'), `${lines.join('\n')}\n`);
}

const letters = (n: number) => n.toString(26).replace(/\d/g, (d) => 'qrstuvwxyz'[Number(d)]!);

test('one file says all that data filter, dedup, tokenize, mix and report do', async () => {
  const folder = temporaryFolder();
  writeRaw(folder);
  const at = (name: string) => join(folder, name);
  const tokenizer = ['tokenizer', 'train', at('raw.jsonl'), '--vocab-size', '300'];
  expect((await headwiseHere([...tokenizer, '--out', at('tok.json')])).code).toBe(0);
  const file = at('pipeline.json');
  const pipeline = {
    inputs: [{ path: 'raw.jsonl', text: 'body', id: 'key' }],
    filter: { out: 'clean', format: 'parquet', steps: [{ step: 'gopher-quality', minWords: 40 }] },
    dedup: { out: 'unique', method: 'exact', gzip: true },
    tokenize: { out: 'shards', tokenizer: 'tok.json', end: false },
    mix: { out: 'mix.json', curriculum: [{ steps: 5, length: 8 }] },
  };
  writeFileSync(file, JSON.stringify(pipeline));
  const data = (...args: string[]) => headwiseHere(['data', ...args]);

  /** The documents that a command sees which only looks at them, and the text of the first. */
  const seen = async () => {
    const [stats] = jsonLines((await data('stats', '--pipeline', file, '--json')).stdout);
    const [shown] = jsonLines((await data('show', '--pipeline', file, '--json')).stdout);
    return [stats!.documents, shown!.text];
  };
  expect(await seen()).toEqual([90, '- a whale\n'.repeat(30)]);
  const early = await data('dedup', '--pipeline', file);
  expect([early.code, early.stderr]).toEqual([
    2,
    `headwise: ${file}: data dedup reads ${at('clean/documents')}, where data filter has not ended; run data filter --pipeline ${file} first\n`,
  ]);
  const filtered = await data('filter', '--pipeline', file, '--json');
  expect([filtered.code, filtered.stderr]).toEqual([0, '']);
  expect(JSON.parse(filtered.stdout)).toMatchObject({
    read: { documents: 90 },
    kept: { documents: 81 },
  });
  expect(readdirSync(at('clean/documents'))).toEqual(['00000.parquet']);
  expect(await seen()).toEqual([81, expect.stringMatching(/^The captain of boat/)]);
  const deduplicated = await data('dedup', '--pipeline', file, '--json');
  expect([deduplicated.code, deduplicated.stderr]).toEqual([0, '']);
  const { kept } = JSON.parse(deduplicated.stdout);
  expect(kept).toBeGreaterThan(50);
  expect(kept).toBeLessThan(65);
  expect(readdirSync(at('unique/documents'))).toEqual(['00000.jsonl.gz']);
  expect((await data('tokenize', '--pipeline', file)).stderr).toBe('');
  expect(JSON.parse(readFileSync(at('shards/shards.json'), 'utf8'))).toMatchObject({
    documents: kept,
    endId: null,
  });
  expect(await seen()).toEqual([kept, expect.stringMatching(/^The captain of boat/)]);
  const twice = await data('stats', at('raw.jsonl'), '--pipeline', file);
  expect([twice.code, twice.stderr]).toEqual([
    2,
    `headwise: --pipeline ${file} and ${at('raw.jsonl')} are given; leave one out: the file says all of it\n`,
  ]);
  expect((await data('mix', '--pipeline', file)).stderr).toBe('');
  expect(JSON.parse(readFileSync(at('mix.json'), 'utf8'))).toEqual({
    sources: [{ shards: 'shards', sha256: expect.stringMatching(/^[\da-f]{64}$/) }],
    curriculum: [{ steps: 5, length: 8 }],
  });
  const report = await data('report', '--pipeline', file, '--out', at('page.html'), '--json');
  expect(jsonLines(report.stdout)[0]!.stages).toMatchObject([
    { command: 'filter', read: { documents: 90 } },
    { command: 'dedup', read: { documents: 81 } },
    { command: 'tokenize', read: { documents: kept } },
  ]);
  expect(existsSync(at('page.html'))).toBe(true);
});

test('what is said twice, not at all, or for another method is refused by name', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'p.json');
  const write = (pipeline: object) => writeFileSync(file, JSON.stringify(pipeline));
  write({ inputs: ['a'], dedup: { out: 'b', method: 'exact', bands: 3 } });
  for (const [args, message] of [
    [['dedup', 'a', '--pipeline', file], `--pipeline ${file} and a are given; leave one out`],
    [['dedup', '--bands', '3', '--pipeline', file], 'and --bands are given; leave one out'],
    [['tokenize', '--pipeline', file, '--no-end'], 'and --end are given; leave one out'],
    [['mix', '--pipeline', file], `${file}: 'mix' is missing; expected what data mix does`],
    [['dedup', '--pipeline', file], "'dedup.bands' is 3, expected with"],
    [['dedup', 'a'], '--out is missing; expected inputs and --out, or --pipeline'],
    [['dedup', '--out', 'b'], 'the inputs are missing; expected inputs and --out'],
    [['dedup', 'a', '--out', 'b.parquet'], '--out is b.parquet; expected a folder'],
    [['mix', '--out', 'b'], 'the sources are missing; expected sources and --out'],
    [['report', '--out', 'b'], 'the folders are missing; expected folders, or --pipeline'],
    [['filter', '--pipeline', file], "'filter' is missing; expected what data filter does"],
  ] as const) {
    const { code, stderr } = await headwiseHere(['data', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
  write({ inputs: ['a'], dedup: { out: 'b', metod: 'exact' } });
  expect((await headwiseHere(['data', 'dedup', '--pipeline', file])).stderr).toContain(
    `${file}: unknown key 'dedup.metod'; the nearest known is 'method'`,
  );
});
