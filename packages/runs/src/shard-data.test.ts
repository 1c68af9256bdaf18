import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenizeDocuments } from '@headwise/data/node';
import { type Tokenizer, trainByteLevelBpe } from '@headwise/tokenizers';
import { tokenizerText } from '@headwise/tokenizers/node';
import { expect, test } from 'vitest';
import { isSharded } from './check-run-config.js';
import { prepareData } from './data.js';
import { openRunShards } from './node/open-shards.js';
import { RunFolder } from './node/run-folder.js';
import { parseRunConfig } from './parse-run-config.js';
import type { RunConfig } from './run-config.js';
import { Session } from './session.js';

const work = mkdtempSync(join(tmpdir(), 'headwise-shards-'));
const text = (i: number) => `the ${i % 7} whales saw ${i % 5} ships. `.repeat(4);
const tokenizer = await trainByteLevelBpe([text(1)], { vocabSize: 270 });

async function shardsOf(name: string, documents: number, made: Tokenizer = tokenizer) {
  const lines = Array.from({ length: documents }, (_, i) => JSON.stringify({ text: text(i) }));
  writeFileSync(join(work, `${name}.jsonl`), lines.join('\n'));
  await tokenizeDocuments([join(work, `${name}.jsonl`)], join(work, name), { tokenizer: made });
  return join(work, name);
}

const configOf = (data: object, training: object = {}) =>
  parseRunConfig({
    model: { dim: 8, heads: 2, layers: 1, context: 8 },
    data,
    training: { steps: 6, batchSize: 2, learningRate: 0.01, checkpointEvery: 2, ...training },
  });

async function trainIn(name: string, config: RunConfig, most = Number.POSITIVE_INFINITY) {
  const folder = await RunFolder.inspect(join(work, name), config, { resume: true });
  if (!isSharded(config.data)) throw new Error('expected shards');
  const shards = await openRunShards(config.data);
  await folder.checkCorpus(shards.sha256, 'mix');
  const data = await prepareData(config, { shards, tokenizer: await folder.tokenizer() });
  await folder.create(config, { corpus: shards.sha256, tokenizer: tokenizerText(data.tokenizer) });
  const session = await Session.open({ config, data, storage: folder });
  await session.begin();
  for (let made = 0; made < most && (await session.advance()); made++);
  session.dispose();
  await folder.release();
  return folder.history.flatMap((entry) => ('loss' in entry ? [entry.loss] : []));
}

const mix = (name: string, json: object) => {
  writeFileSync(join(work, name), JSON.stringify(json));
  return join(work, name);
};

test('a run on a mixture resumes with the losses of one that was not interrupted, and refuses another mixture', async () => {
  await shardsOf('web', 40);
  await shardsOf('books', 30);
  const sources = [
    { shards: 'web', weight: 3 },
    { shards: 'books', weight: 1 },
  ];
  const mixture = mix('mix.json', { sources, curriculum: [{ steps: 2, length: 4 }] });
  const config = configOf({ mixture });
  const whole = await trainIn('whole', config);
  await trainIn('stopped', config, 3);
  expect(await trainIn('stopped', config)).toEqual(whole);
  expect(whole.length).toBe(6);
  mix('mix.json', { sources });
  await expect(trainIn('stopped', config)).rejects.toThrow(
    'was trained on a text with the SHA-256',
  );
});

test('shards that a run cannot use are refused by name', async () => {
  const shards = await shardsOf('one', 40);
  const other = await trainByteLevelBpe(['ships and ships'], { vocabSize: 258 });
  await shardsOf('other', 4, other);
  const prepared = async (data: object, training?: object) => {
    const config = configOf(data, training);
    return prepareData(config, { shards: await openRunShards(config.data as never) });
  };
  const { tokens, validation, validationBytes } = await prepared({ shards });
  // Texts of ASCII, of which a byte-level tokenizer loses nothing: the bytes are those of the predicted tokens.
  const predicted = [...validation()].flatMap(({ targets }) => Array.from(targets));
  expect(validationBytes).toBe(
    predicted.reduce((sum, id) => sum + tokenizer.decode([id]).length, 0),
  );
  expect(validationBytes).toBeGreaterThan(predicted.length);
  expect(tokens!.train + tokens!.validation).toBeGreaterThan(500);
  expect(() => configOf({ shards, mixture: 'm' })).toThrow("'data.shards' is");
  const two = mix('two.json', { sources: [{ shards: 'one' }, { shards: 'other' }] });
  await expect(prepared({ mixture: two })).rejects.toThrow(
    /other: was tokenised with the tokenizer of SHA-256/,
  );
  const budget = mix('budget.json', { sources: [{ shards: 'one', tokens: 100 }] });
  await expect(prepared({ mixture: budget }, { steps: 7 })).rejects.toThrow(
    'has budgets of 100 tokens; the run reads 112',
  );
  expect((await prepared({ mixture: budget })).tokens).toEqual(tokens);
  const changed = mix('changed.json', { sources: [{ shards: 'one', sha256: 'ab' }] });
  await expect(prepared({ mixture: changed })).rejects.toThrow(
    'expected ab: the shards have changed',
  );
  await expect(prepared({ shards: join(work, 'none') })).rejects.toThrow(
    /shards\.json: cannot be read/,
  );
});
