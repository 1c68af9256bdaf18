import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenizeDocuments } from '@headwise/data/node';
import { createModel } from '@headwise/models';
import { trainByteLevelBpe } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { finetuneFolder } from '../node/finetune-files.js';
import { openRunShards } from '../node/open-shards.js';
import { Session } from '../session.js';
import { type FinetuneSettings, parseFinetuneConfig } from './config.js';
import { planFinetune } from './plan.js';
import { encodeShards, prepareShards } from './shards.js';
import { finetuneWork } from './work.js';

const work = mkdtempSync(join(tmpdir(), 'headwise-finetune-shards-'));
const text = (i: number) => `the ${i % 7} whales saw ${i % 5} ships. `.repeat(4);
const tokenizer = await trainByteLevelBpe([text(1)], { vocabSize: 270 });
const raw = join(work, 'raw.jsonl');
writeFileSync(
  raw,
  Array.from({ length: 20 }, (_, i) => JSON.stringify({ text: text(i) })).join('\n'),
);
const folder = join(work, 'shards');
await tokenizeDocuments([raw], folder, { tokenizer, unitBytes: 1000 });
const mixture = join(work, 'mix.json');
const mix = (json: object) => writeFileSync(mixture, JSON.stringify(json));

const configuration = {
  model_type: 'gpt2',
  n_embd: 16,
  n_head: 2,
  n_layer: 1,
  n_positions: 24,
  vocab_size: tokenizer.vocabSize,
} as const;
const training = { steps: 6, learningRate: 0.01, batchSize: 3, accumulate: 2 };

async function prepared(settings: FinetuneSettings, place: object = { shards: folder }) {
  const config = parseFinetuneConfig(settings);
  const opened = await openRunShards(place);
  const encoded = encodeShards(config, { opened, tokenizer }, configuration);
  const model = createModel(configuration, { seed: 1 });
  const data = await prepareShards(config, encoded, model).catch((error) => {
    model.params.dispose();
    throw error;
  });
  return { config, encoded, model, data };
}

/** What a run of so many steps, or to its end, finds and measures. */
async function trainIn(name: string, settings: FinetuneSettings, most = Infinity) {
  const { config, model, data } = await prepared(settings);
  const folder = await finetuneFolder(join(work, name), { config }, { resume: true });
  const session = await Session.of(finetuneWork(config, data, model), folder);
  await session.begin();
  for (let made = 0; made < most && (await session.advance()); made++);
  if (most < Infinity) await session.save();
  session.dispose();
  await folder.release();
  return {
    losses: folder.history.flatMap((entry) => ('loss' in entry ? [entry.loss] : [])),
    measured: folder.history.flatMap((entry) => ('validation' in entry ? [entry.validation] : [])),
  };
}

test.each(['pretrain', 'lora'] as const)(
  '%s learns the windows of shards, and goes on to the bit',
  async (method) => {
    const { numTensors } = tf.memory();
    const adapter = method === 'lora' ? { adapter: { rank: 4 } } : {};
    const settings = { method, ...adapter, training };
    const { losses, measured } = await trainIn(`${method}-whole`, settings);
    expect(losses).toHaveLength(6);
    expect(losses.at(-1)).toBeLessThan(losses[0]! - (method === 'lora' ? 0.005 : 0.2));
    await trainIn(`${method}-parts`, settings, 3);
    expect((await trainIn(`${method}-parts`, settings)).losses).toEqual(losses);
    expect(measured[0]).toMatchObject({
      bitsPerByte: expect.any(Number),
      metrics: { 'token accuracy': expect.any(Number), perplexity: expect.any(Number) },
    });
    expect(tf.memory().numTensors).toBe(numTensors);
  },
);

test('a batch is the windows of its number, in shorter rows while the curriculum says so, and the plan is of the longest', async () => {
  mix({ sources: [{ shards: 'shards', epochs: 3 }], curriculum: [{ steps: 2, length: 8 }] });
  const settings = { method: 'pretrain', data: { maxLength: 16 }, training } as const;
  const { encoded, model, data } = await prepared(settings, { mixture });
  const shapes = await Promise.all([0, 3, 4].map(async (n) => (await data.batches.at(n)).shape));
  expect(shapes).toEqual([
    [6, 8],
    [6, 8],
    [3, 16],
  ]);
  expect(await data.batches.at(5)).toEqual(await data.batches.at(5));
  expect(data.counts).toMatchObject({ of: 'windows', longest: 16, cut: 0 });
  expect(data.counts.tokens).toBe(16 * data.counts.train);
  const planned = async (length: number) => {
    const config = parseFinetuneConfig({ ...settings, data: { maxLength: length } });
    const of = { opened: encoded.opened, tokenizer };
    return (await planFinetune(config, encodeShards(config, of, configuration), configuration))
      .peak;
  };
  expect(await planned(16)).toBeGreaterThan(await planned(8));
  model.params.dispose();
});

test('what cannot be learned from shards is refused by name', async () => {
  await expect(prepared({ method: 'sft' })).rejects.toThrow(
    'sft: learns from marked examples, and shards are tokens without marks; expected one of pretrain, lora, qlora',
  );
  await expect(prepared({ method: 'pretrain', data: { packing: 'best-fit' } })).rejects.toThrow(
    "'data.packing' is best-fit; windows of shards are full: leave it out",
  );
  await expect(prepared({ method: 'pretrain', training: { batchTokens: 99 } })).rejects.toThrow(
    "'training.batchTokens' is 99; windows",
  );
  mix({ sources: [{ shards: 'shards', tokens: 500 }] });
  await expect(prepared({ method: 'pretrain', training }, { mixture })).rejects.toThrow(
    'the mixture has budgets of 500 tokens; the run reads 864: 6 steps of 6 windows of 24',
  );
});
