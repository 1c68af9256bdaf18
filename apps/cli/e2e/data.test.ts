import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { headwise, headwiseHere, headwiseKilled, temporaryFolder } from './headwise.js';

/** Eight files of documents, every third a near-duplicate of one in another file. */
function writeDocuments(folder: string): string {
  const input = join(folder, 'in');
  mkdirSync(input);
  for (let file = 0; file < 8; file++) {
    const lines = Array.from({ length: 150 }, (_, i) => {
      const source = i % 3 === 0 ? i : 150 * file + i;
      const words = Array.from(
        { length: 120 },
        (_, k) => `w${letters((source * 7919 + k * k * 31) % 5000)}`,
      );
      if (i % 3 === 0) words[60] = `file${letters(file)}`;
      return JSON.stringify({ id: `${file}:${i}`, text: words.join(' ') });
    });
    writeFileSync(join(input, `${file}.jsonl`), `${lines.join('\n')}\n`);
  }
  return input;
}

/** A number in letters: digits are all alike to near-duplicates. */
const letters = (n: number) =>
  n.toString(36).replace(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)]!);

const documentsOf = (out: string) =>
  readdirSync(join(out, 'documents'))
    .sort()
    .map((name) => [name, readFileSync(join(out, 'documents', name), 'utf8')]);

test('near-duplicates go; two workers that are killed at any moment and started again end with the same files', async () => {
  const folder = temporaryFolder();
  const input = writeDocuments(folder);
  const whole = join(folder, 'whole');
  const report = await headwiseHere(['data', 'dedup', input, '--out', whole, '--json']);
  expect([report.code, report.stderr]).toEqual([0, '']);
  expect(JSON.parse(report.stdout)).toMatchObject({ documents: 1200, kept: 8 * 100 + 50 });

  const out = join(folder, 'killed');
  const args = ['data', 'dedup', input, '--out', out, '--workers', '2'];
  for (const file of ['keys', 'keys/00001.keys', 'keys/repeated.bits', 'units/00003.json']) {
    const there = async () => {
      while (!existsSync(join(out, file))) await sleep(1);
    };
    expect(await headwiseKilled(args, there())).toBe(true);
  }
  expect(headwise(args)).toMatchObject({ code: 0, stderr: '' });
  expect(documentsOf(out)).toEqual(documentsOf(whole));
  expect(readdirSync(out).sort()).toEqual(['documents', 'plan.json', 'report.json', 'units']);
});

test('shards are those of a run that was never killed, after two workers were at any moment', async () => {
  const folder = temporaryFolder();
  const input = writeDocuments(folder);
  const tokenizer = join(folder, 'tokenizer.json');
  const train = ['tokenizer', 'train', join(input, '0.jsonl'), '--vocab-size', '400'];
  expect((await headwiseHere([...train, '--special', '<end>', '--out', tokenizer])).code).toBe(0);
  const args = ['data', 'tokenize', input, '--tokenizer', tokenizer];
  expect(await headwiseHere([...args, '--out', join(folder, 'none')])).toMatchObject({
    code: 2,
    stderr: `headwise: ${tokenizer}: no end token is named beside it, by eos_token in tokenizer_config.json or eos_token_id in config.json; give --end TOKEN to put one after each document, or --no-end\n`,
  });
  writeFileSync(join(folder, 'tokenizer_config.json'), '{"eos_token":{"content":"<end>"}}');
  const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
  expect((await headwiseHere([...args, '--out', whole])).stdout).toContain('<end> after each');
  const again = [...args, '--out', killed, '--workers', '2'];
  for (const file of ['plan.json', 'units/00000.json', 'units/00004.json']) {
    const there = async () => {
      while (!existsSync(join(killed, file))) await sleep(1);
    };
    expect(await headwiseKilled(again, there())).toBe(true);
  }
  expect(existsSync(join(killed, 'shards.json'))).toBe(false);
  expect(headwise(again)).toMatchObject({ code: 0, stderr: '' });
  const filesOf = (out: string) => [
    readFileSync(join(out, 'shards.json'), 'utf8'),
    ...readdirSync(join(out, 'shards'))
      .sort()
      .map((name) => [name, readFileSync(join(out, 'shards', name)).toString('base64')]),
  ];
  expect(filesOf(killed)).toEqual(filesOf(whole));
  const { documents, endId } = JSON.parse(readFileSync(join(whole, 'shards.json'), 'utf8'));
  expect([documents, endId]).toEqual([1200, 0]);
});

test('what a worker cannot read, and options without an effect, are refused by name', async () => {
  const folder = temporaryFolder();
  const input = join(folder, 'in.jsonl');
  writeFileSync(input, '{"text":"a"}\n[1]\n');
  const out = join(folder, 'out');
  expect(headwise(['data', 'dedup', input, '--out', out, '--workers', '2'])).toMatchObject({
    code: 2,
    stderr: `headwise: ${input}: the line at byte 13 is a list; expected an object with a string named "text"\n`,
  });
  expect(
    await headwiseHere(['data', 'dedup', input, '--out', out, '--method', 'exact', '--bands', '3']),
  ).toMatchObject({
    code: 2,
    stderr: 'headwise: --bands is 3, expected with --method minhash only, not exact\n',
  });
});
