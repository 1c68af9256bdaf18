import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { headwise, headwiseHere, headwiseKilled, temporaryFolder } from './headwise.js';

/** Six files of documents: prose, prose with an address in it, and lists. */
function writePipeline(folder: string, out: string): string {
  const raw = join(folder, 'raw');
  if (!existsSync(raw)) {
    mkdirSync(raw);
    for (let file = 0; file < 6; file++) {
      const lines = Array.from({ length: 200 }, (_, i) => {
        const prose = Array.from(
          { length: 8 },
          (_, k) => `The captain of boat ${i * 8 + k} had to see that the crew would be with him.`,
        ).join(' ');
        const text = [prose, `${prose} Write to ahab${i}@sea.net.`, '- a whale\n'.repeat(30)][
          i % 3
        ];
        return JSON.stringify({ id: `${file}:${i}`, text });
      });
      writeFileSync(join(raw, `${file}.jsonl`), `${lines.join('\n')}\n`);
    }
  }
  const path = join(folder, `${out}.json`);
  const steps = [{ step: 'gopher-quality', minWords: 40 }, { step: 'replace-pii' }];
  writeFileSync(path, JSON.stringify({ inputs: ['raw'], filter: { steps, out, rejects: true } }));
  return path;
}

const filesOf = (out: string) =>
  ['documents', 'rejects'].flatMap((part) =>
    readdirSync(join(out, part))
      .sort()
      .map((name) => [name, readFileSync(join(out, part, name), 'utf8')]),
  );

test('a pipeline keeps, rewrites and drops; two workers that are killed at any moment end with the same files', async () => {
  const folder = temporaryFolder();
  const report = await headwiseHere([
    'data',
    'filter',
    '--pipeline',
    writePipeline(folder, 'whole'),
    '--json',
  ]);
  expect([report.code, report.stderr]).toEqual([0, '']);
  const { read, kept, steps } = JSON.parse(report.stdout);
  expect([read.documents, kept.documents]).toEqual([1200, 804]);
  expect(steps[0].dropped).toMatchObject({ gopher_too_many_bullets: { documents: 396 } });
  expect(steps[1].rewritten.documents).toBe(402);

  const args = ['data', 'filter', '--pipeline', writePipeline(folder, 'killed'), '--workers', '2'];
  const out = join(folder, 'killed');
  for (const file of ['plan.json', 'units/00001.json', 'units/00003.json']) {
    const there = async () => {
      while (!existsSync(join(out, file))) await sleep(1);
    };
    expect(await headwiseKilled(args, there())).toBe(true);
  }
  const last = headwise(args);
  expect([last.code, last.stderr]).toEqual([0, '']);
  expect(last.stdout).toContain('gopher_too_many_bullets');
  expect(filesOf(out)).toEqual(filesOf(join(folder, 'whole')));
});

test('a pipeline file is refused by name', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'pipeline.json');
  const filter = { out: 'b', steps: [{ step: 'replace-pii' }] };
  for (const [pipeline, message] of [
    [{ inputs: ['a'], filter: { ...filter, steps: [{ step: 'gopher' }] } }, 'step 1 is "gopher"'],
    [{ inputs: ['a'], filter: { ...filter, step: [] } }, "unknown key 'filter.step'; the nearest"],
    [{ inputs: 'a', filter }, `'inputs' is "a"`],
    [{ inputs: [3], filter }, "'inputs.0' is 3"],
    [{ inputs: ['a'], filter: { ...filter, format: 'csv' } }, `'filter.format' is "csv"`],
    [{ inputs: ['a'], dedup: { out: 'b' } }, "'filter' is missing; expected what data filter does"],
    [{ inputs: ['a'], filter }, 'cannot be read'],
  ] as const) {
    writeFileSync(path, JSON.stringify(pipeline));
    const { code, stderr } = await headwiseHere(['data', 'filter', '--pipeline', path]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  }
});
