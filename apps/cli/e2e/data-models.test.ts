import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { trainCharacter } from '@headwise/tokenizers';
import { saveTokenizer } from '@headwise/tokenizers/node';
import { expect, test } from 'vitest';
import { headwise, headwiseHere, repository, temporaryFolder } from './headwise.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** A model of transformers with random weights, and a tokenizer that fits it. */
async function copyModel(name: string): Promise<void> {
  cpSync(join(repository, 'packages/parity/goldens', name), at(name), { recursive: true });
  await saveTokenizer(await trainCharacter(['abcdefgh ']), join(at(name), 'tokenizer.json'));
}

test('a model goes on with pre-training on shards, and then filters texts, in two threads as in one', async () => {
  await copyModel('gpt2');
  await copyModel('bert-sequence-classification');
  for (let file = 0; file < 3; file++) {
    const lines = Array.from({ length: 30 }, (_, i) => {
      const letter = (_: unknown, k: number) => 'abcdefgh '[(i * i + k * ((i + file) % 8)) % 9];
      return JSON.stringify({
        id: `${file}:${i}`,
        text: Array.from({ length: 9 + i }, letter).join(''),
      });
    });
    writeFileSync(at(`${file}.jsonl`), lines.join('\n'));
  }
  const tokenize = ['data', 'tokenize', at('*.jsonl'), '--tokenizer', at('gpt2'), '--no-end'];
  expect((await headwiseHere([...tokenize, '--out', at('shards')])).code).toBe(0);
  const finetune = [
    'finetune',
    '--model',
    at('gpt2'),
    '--data',
    at('shards'),
    '--out',
    at('tuned'),
  ];
  const sizes = ['--steps', '2', '--batch-size', '2', '--learning-rate', '0.01'];
  const tuned = await headwiseHere([...finetune, ...sizes, '--method', 'pretrain']);
  expect([tuned.code, tuned.stderr]).toEqual([0, '']);
  expect(tuned.stdout).toMatch(/\d+ windows with \d+ tokens to train on, .*the longest has 16\n/);
  expect(tuned.stdout).toContain('bits per byte');
  const sft = await headwiseHere([...finetune.with(-1, at('sft')), ...sizes, '--method', 'sft']);
  expect([sft.code, sft.stderr]).toEqual([
    2,
    expect.stringContaining('sft: learns from marked examples, and shards are tokens without'),
  ]);

  const steps = [
    { step: 'perplexity', model: 'tuned', max: 50, store: 'perplexity' },
    {
      step: 'classifier',
      model: 'bert-sequence-classification',
      label: 'LABEL_1',
      threshold: 0.335,
    },
  ];
  const pipeline = (out: string) => {
    writeFileSync(
      at(`${out}.json`),
      JSON.stringify({ inputs: ['*.jsonl'], filter: { out, steps } }),
    );
    return ['data', 'filter', '--pipeline', at(`${out}.json`), '--json'];
  };
  const one = await headwiseHere(pipeline('one'));
  expect([one.code, one.stderr]).toEqual([0, '']);
  const report = JSON.parse(one.stdout);
  expect(report.read.documents).toBe(90);
  expect(report.kept.documents).toBeGreaterThan(5);
  for (const { measured, dropped, read } of report.steps) {
    expect(measured.counts.reduce((a: number, b: number) => a + b)).toBe(read.documents);
    expect(Object.keys(dropped).length).toBeGreaterThan(0);
  }
  const two = headwise([...pipeline('two'), '--workers', '2', '--backend', 'cpu']);
  expect([two.code, two.stderr]).toEqual([0, '']);
  expect(JSON.parse(two.stdout)).toEqual(report);
  const filesOf = (out: string) =>
    readdirSync(at(`${out}/documents`))
      .sort()
      .map((name) => readFileSync(at(`${out}/documents/${name}`), 'utf8'));
  expect(filesOf('two')).toEqual(filesOf('one'));
  expect(JSON.parse(filesOf('one')[0]!.split('\n')[0]!)).toHaveProperty('perplexity');

  const gpu = await headwiseHere([...pipeline('gpu'), '--workers', '2', '--backend', 'webgpu']);
  expect([gpu.code, gpu.stderr]).toEqual([
    2,
    expect.stringContaining('--workers is 2 and the backend of the step perplexity webgpu'),
  ]);
  steps.splice(0, 2, { step: 'replace-pii' } as never);
  const none = await headwiseHere([...pipeline('none'), '--backend', 'cpu']);
  expect([none.code, none.stderr]).toEqual([
    2,
    expect.stringContaining('--backend is cpu, expected with one of the steps classifier, perplex'),
  ]);
});
