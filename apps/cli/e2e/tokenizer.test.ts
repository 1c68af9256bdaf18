import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { headwiseHere, temporaryFolder, writeCorpus } from './headwise.js';

const work = temporaryFolder();
const corpus = writeCorpus(work);

test.each([
  ['bpe', 'BPE', 60],
  ['byte-bpe', 'BPE', 300],
  ['wordpiece', 'WordPiece', 60],
  ['unigram', 'Unigram', 50],
  ['character', 'BPE', 21],
])('tokenizer train --kind %s learns a vocabulary that tokenize uses', async (kind, type, size) => {
  const out = join(work, `${kind}.json`);
  const args = ['--kind', kind, '--vocab-size', String(size), '--special', '<unk>', '--out', out];
  const run = await headwiseHere(['tokenizer', 'train', ...args, corpus, '--json']);
  expect(run.stderr).toBe('');
  expect(run.code).toBe(0);
  const told = JSON.parse(run.stdout);
  expect(told).toMatchObject({ out, kind });
  expect(told.vocabSize).toBeLessThanOrEqual(Math.max(size, 30));
  expect(JSON.parse(readFileSync(out, 'utf8')).model.type).toBe(type);
  const text = 'the old whale';
  const shown = await headwiseHere(['tokenize', '--tokenizer', out, '--text', text, '--json']);
  const { ids, offsets } = JSON.parse(shown.stdout);
  expect(offsets.at(-1)[1]).toBe(text.length);
  const lines = await headwiseHere(['tokenize', '--tokenizer', out, '--text', text, '--offsets']);
  expect(
    lines.stdout
      .trim()
      .split('\n')
      .map((line) => Number(line.split('\t')[0])),
  ).toEqual(ids);
  const [, start, end, token] = lines.stdout.trim().split('\n').at(-1)!.split('\t');
  expect([Number(start), Number(end)]).toEqual(offsets.at(-1));
  expect(text.endsWith(JSON.parse(token!).replace(/^(?:##|▁|Ġ)/, ''))).toBe(true);
});

test('a file that is missing is named, and nothing is written', async () => {
  const out = join(work, 'never.json');
  const run = await headwiseHere(['tokenizer', 'train', '--out', out, join(work, 'no such.txt')]);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('no such.txt: cannot be read');
  expect(existsSync(out)).toBe(false);
});

test.each([
  [['--kind', 'sentencepiece'], "'sentencepiece' is invalid"],
  [['--vocab-size', 'many'], "'many' is not a whole number"],
  [['--vocab-size', '100'], 'vocabSize is 100; expected at least 256'],
  [['--min-frequency', '-5'], 'minFrequency is -5; expected a whole number of at least 0'],
  [
    ['--kind', 'unigram', '--min-frequency', '2'],
    '--min-frequency is given for --kind unigram, which merges no pairs',
  ],
])('tokenizer train %j is refused', async (args, message) => {
  const out = join(work, 'refused.json');
  const run = await headwiseHere(['tokenizer', 'train', ...args, '--out', out, corpus]);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain(message);
  expect(readdirSync(work)).not.toContain('refused.json');
});

test.each<[string, string, string]>([
  ['broken', '{"model": {"type": "BPE", "vocab": {"a": 0,', 'is not JSON'],
  [
    'an unknown part',
    '{"normalizer": {"type": "Magic"}, "model": {"type": "WordLevel", "vocab": {"a": 0}}}',
    'normalizer.type is "Magic"; expected one of Bert',
  ],
])('tokenize says what is wrong with a tokenizer.json: %s', async (name, json, message) => {
  const path = join(work, `${name}.json`);
  writeFileSync(path, json);
  const run = await headwiseHere(['tokenize', '--tokenizer', path, '--text', 'a']);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain(path);
  expect(run.stderr).toContain(message);
});
