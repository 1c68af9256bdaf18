import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors } from '@headwise/safetensors';
import { describe, expect, test } from 'vitest';
import { headwiseHere, repository } from './headwise.js';

const goldens = join(repository, 'packages/parity/goldens');

/** The first row of what transformers was given, or computed. */
function rowOf(name: string, key: string): number[] {
  const file = readSafetensors(readFileSync(join(goldens, name, 'expected.safetensors')));
  const { data, shape } = file.get(key);
  const length = shape.slice(1).reduce((product, size) => product * size, 1);
  return Array.from(data as Float32Array).slice(0, length);
}

function expectNear(actual: number[], expected: number[]): void {
  expect(actual).toHaveLength(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
  expect(worst / scale).toBeLessThan(1e-4);
}

describe('logits gives what transformers gives', () => {
  for (const name of ['gpt2', 'bloom', 'falcon-40b', 'llama', 'mistral', 'qwen2']) {
    test(name, async () => {
      const ids = rowOf(name, 'inputs.input_ids');
      const args = ['--model', join(goldens, name), '--ids', ids.join(','), '--json'];
      const { logits } = JSON.parse((await headwiseHere(['logits', ...args])).stdout);
      expectNear(logits.flat(), rowOf(name, 'outputs.logits'));
    });
  }

  test('transformer-xl-adaptive, of a first segment', async () => {
    const name = 'transformer-xl-adaptive';
    const ids = rowOf(name, 'inputs.input_ids').slice(0, 7);
    const args = ['--model', join(goldens, name), '--ids', ids.join(','), '--json'];
    const { logits } = JSON.parse((await headwiseHere(['logits', ...args])).stdout);
    expectNear(logits.flat(), rowOf(name, 'outputs.segment_0.log_probabilities'));
  });

  for (const name of ['t5', 'bart', 'transformer-2017']) {
    test(name, async () => {
      const ids = rowOf(name, 'inputs.input_ids');
      const written = rowOf(name, 'inputs.decoder_input_ids');
      const given = ['--ids', ids.join(','), '--decoder-ids', written.join(',')];
      const args = ['--model', join(goldens, name), ...given, '--json'];
      const { logits } = JSON.parse((await headwiseHere(['logits', ...args])).stdout);
      expectNear(logits.flat(), rowOf(name, 'outputs.logits'));
    });
  }

  test('roberta-masked-lm', async () => {
    const name = 'roberta-masked-lm';
    const ids = rowOf(name, 'inputs.input_ids');
    const args = ['--model', join(goldens, name), '--ids', ids.join(','), '--json'];
    const { outputs } = JSON.parse((await headwiseHere(['logits', ...args])).stdout);
    expectNear(outputs.logits.flat(), rowOf(name, 'outputs.logits'));
  });
});

test('--decoder-ids is refused where nothing decodes beside an encoder', async () => {
  const args = ['--model', join(goldens, 'llama'), '--ids', '1', '--decoder-ids', '2'];
  const run = await headwiseHere(['logits', ...args]);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain(
    '--decoder-ids: the model is a decoder; expected an encoder-decoder',
  );
});

test('params lists every parameter with its key, shape, count and bytes', async () => {
  const folder = join(goldens, 'llama');
  const run = await headwiseHere(['params', '--model', folder]);
  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(run.stdout).toContain('30 parameters of the family llama');
  const { parameters, count, bytes } = JSON.parse(
    (await headwiseHere(['params', '--model', folder, '--json'])).stdout,
  );
  const file = readSafetensors(readFileSync(join(folder, 'model.safetensors')));
  const keys = parameters.map(({ key }: { key: string }) => key);
  expect(keys.sort()).toEqual([...file.tensors.keys()].sort());
  expect(parameters[0]).toEqual({
    path: 'tokens.weight',
    key: 'model.embed_tokens.weight',
    shape: [97, 20],
    dtype: 'F32',
    count: 1940,
    bytes: 7760,
  });
  expect(bytes).toBe(4 * count);
});

test('logits with packed weights are near those in float32, and an unknown type is refused', async () => {
  const name = 'llama';
  const ids = rowOf(name, 'inputs.input_ids');
  const args = ['logits', '--model', join(goldens, name), '--ids', ids.join(','), '--json'];
  const { logits } = JSON.parse((await headwiseHere([...args, '--dtype', 'int8'])).stdout);
  const [actual, expected] = [logits.flat() as number[], rowOf(name, 'outputs.logits')];
  const error = Math.hypot(...actual.map((y, i) => y - expected[i]!)) / Math.hypot(...expected);
  expect(error).toBeGreaterThan(1e-4);
  expect(error).toBeLessThan(2e-2);
  const run = await headwiseHere([...args, '--dtype', 'q8']);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain("--dtype is 'q8'; expected one of f32, f16, int8, int4");
});

test('rerank writes texts by the scores of sentence-transformers, the best first', async () => {
  const path = join(repository, 'packages/text/src/goldens/rerankers.json');
  const golden = JSON.parse(readFileSync(path, 'utf8'));
  const { files, ranks } = golden.cases['saved by version 6'];
  const folder = mkdtempSync(join(tmpdir(), 'headwise-reranker-'));
  cpSync(join(goldens, 'bert-reranker/model.safetensors'), join(folder, 'model.safetensors'));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(golden.tokenizer));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, name), text as string);
  const data = join(folder, 'texts.jsonl');
  const lines = golden.texts.map((text: string) => JSON.stringify({ text }));
  writeFileSync(data, lines.join('\n'));
  const args = ['rerank', '--model', folder, '--query', golden.query, '--data', data];
  const { stdout } = await headwiseHere([...args, '--truncate', '--top', '3']);
  const found = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(found).toEqual(
    ranks.slice(0, 3).map(({ index, score }: { index: number; score: number }) => ({
      index,
      score: expect.closeTo(score, 5),
      text: golden.texts[index],
    })),
  );
  const refused = await headwiseHere(args);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(
    "texts.jsonl: example 4 and the query have 16 tokens; the model's context holds 12: shorten them, or give --truncate",
  );
});
