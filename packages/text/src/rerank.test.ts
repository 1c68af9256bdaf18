import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { expect, onTestFinished, test } from 'vitest';
import golden from './goldens/rerankers.json' with { type: 'json' };
import { embed, loadAny, loadReranker, type RerankModel, rerank } from './node.js';

const goldens = fileURLToPath(new URL('../../parity/goldens', import.meta.url));
const { query, texts } = golden;
const saved = golden.cases['saved by version 6'];

/** A folder of a cross-encoder around the weights of a tiny checkpoint. */
function folderOf(
  { golden: name, files }: { golden: string; files: Readonly<Record<string, string>> },
  changed: Readonly<Record<string, unknown>> = {},
): string {
  const folder = mkdtempSync(join(tmpdir(), 'headwise-reranker-'));
  const written = { 'tokenizer.json': JSON.stringify(golden.tokenizer), ...files };
  for (const [file, text] of Object.entries(written)) writeFileSync(join(folder, file), text);
  for (const [file, json] of Object.entries(changed)) {
    writeFileSync(join(folder, file), JSON.stringify(json));
  }
  symlinkSync(join(goldens, name, 'model.safetensors'), join(folder, 'model.safetensors'));
  return folder;
}

async function loaded(...given: Parameters<typeof folderOf>) {
  const found = await loadReranker(folderOf(...given));
  onTestFinished(() => found.model.params.dispose());
  return found;
}

test.each(Object.entries(golden.cases))(
  'ranks and scores are those of sentence-transformers: %s',
  async (_, { ranks, ...folder }) => {
    const { model, tokenizer } = await loaded(folder);
    const before = tf.memory().numTensors;
    const found = await rerank(model, tokenizer, query, texts, { truncate: true });
    expect(found.map(({ index }) => index)).toEqual(ranks.map(({ index }) => index));
    for (const [n, { score }] of found.entries()) expect(score).toBeCloseTo(ranks[n]!.score, 5);
    expect(tf.memory().numTensors).toBe(before);
  },
);

test('loadAny reads a cross-encoder with the same settings, the best come first, and options win', async () => {
  const { model, tokenizer } = await loadAny(folderOf(saved));
  onTestFinished(() => model.params.dispose());
  expect((model as RerankModel).reranking).toEqual({
    activation: 'none',
    maxLength: 12,
    tokenTypes: true,
  });
  const options = { truncate: true, topN: 2 };
  const logits = await rerank(model, tokenizer, query, texts, options);
  expect(logits).toHaveLength(2);
  const scores = await rerank(model, tokenizer, query, texts, {
    ...options,
    activation: 'sigmoid',
  });
  for (const [n, { score }] of scores.entries()) {
    expect(score).toBeCloseTo(1 / (1 + Math.exp(-logits[n]!.score)), 5);
  }
  // Equal scores keep the order of the texts.
  const same = await rerank(model, tokenizer, query, ['w7', 'w7', 'w7']);
  expect(same.map(({ index }) => index)).toEqual([0, 1, 2]);
});

test('a quantised cross-encoder is read, as its configuration says', async () => {
  const config = JSON.parse(saved.files['config.json']) as Record<string, unknown>;
  // No tensor of this checkpoint is of FP8: all are read as they are.
  const quantization_config = { quant_method: 'fp8', weight_block_size: [128, 128] };
  const { model, tokenizer } = await loaded(saved, {
    'config.json': { ...config, quantization_config },
  });
  const [best] = await rerank(model, tokenizer, query, texts, { truncate: true });
  expect(best!.score).toBeCloseTo(saved.ranks[0]!.score, 5);
});

test('what cannot be ranked is refused by name', async () => {
  const { model, tokenizer } = await loaded(saved);
  const call = (given: readonly string[], options: object = {}) =>
    rerank(model, tokenizer, query, given, options);
  await expect(call([])).rejects.toThrow('there is no text to rank');
  await expect(call(texts)).rejects.toThrow(
    "texts[3] and the query have 16 tokens; the model's context holds 12: shorten them, or give truncate: true",
  );
  await expect(call(['w7'], { topN: 0 })).rejects.toThrow('topN is 0; expected a whole number');
  const aborted = AbortSignal.abort(new Error('enough'));
  await expect(call(['w7'], { signal: aborted })).rejects.toThrow('enough');
  const config = JSON.parse(saved.files['config.json']) as Record<string, unknown>;
  const refused: [Record<string, unknown>, string][] = [
    [
      { 'config.json': { ...config, architectures: ['BertModel'] } },
      '\'architectures\' is ["BertModel"]; expected a classifier of sequences with one label',
    ],
    [{ 'config.json': { ...config, id2label: null } }, 'expected a classifier of sequences'],
    [
      { 'modules.json': [{ type: 'a.Transformer' }, { type: 'a.LogitScore' }] },
      'the modules are Transformer, LogitScore; expected Transformer alone',
    ],
    [
      {
        'config_sentence_transformers.json': { activation_fn: 'torch.nn.modules.activation.Tanh' },
      },
      'activation_fn is "torch.nn.modules.activation.Tanh"; expected one of Sigmoid, Identity',
    ],
    [
      { 'config_sentence_transformers.json': { default_prompt_name: 'query' } },
      'default_prompt_name is "query"',
    ],
  ];
  for (const [changed, message] of refused) {
    await expect(loadReranker(folderOf(saved, changed)), message).rejects.toThrow(message);
  }
  const network = { ...model.network, encode: () => tf.zeros([1, 1, 1]) };
  await expect(
    rerank({ network: { ...network, forward: () => ({}) } as never }, tokenizer, query, ['w7']),
  ).rejects.toThrow("the model's head gives no logits; expected one score");
  // A cross-encoder has hidden states, which nothing trained to be compared: they can be pooled all the same.
  expect(await embed(model, tokenizer, ['w7'])).toHaveLength(1);
});
