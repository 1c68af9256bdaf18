import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors, type TensorInput, writeSafetensors } from '@headwise/safetensors';
import { afterAll, expect, test } from 'vitest';
import { describeCheckpoint, type Model } from '../index.js';
import { checkpointTensors } from '../internal.js';
import { folderFiles, loadModel } from '../node.js';

const root = mkdtempSync(join(tmpdir(), 'headwise-spellings-'));
afterAll(() => rmSync(root, { recursive: true }));
const golden = (name: string) =>
  new URL(`../../../parity/goldens/${name}/`, import.meta.url).pathname;

/** A golden whose keys are spelt otherwise; undefined leaves a tensor out. */
function respelt(
  name: string,
  spell: (key: string) => string | undefined,
  change: Record<string, unknown> = {},
): string {
  const folder = mkdtempSync(join(root, `${name}-`));
  const config = JSON.parse(readFileSync(join(golden(name), 'config.json'), 'utf8'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...change }));
  const file = readSafetensors(readFileSync(join(golden(name), 'model.safetensors')));
  const tensors: Record<string, TensorInput> = {};
  for (const key of file.tensors.keys()) {
    const spelt = spell(key);
    if (spelt) tensors[spelt] = file.get(key);
  }
  writeFileSync(join(folder, 'model.safetensors'), writeSafetensors(tensors));
  return folder;
}

async function valuesOf(model: Model): Promise<Record<string, unknown>> {
  const entries = Object.entries(checkpointTensors(model));
  return Object.fromEntries(
    await Promise.all(entries.map(async ([key, { data }]) => [key, await data()])),
  );
}

test.each([
  [
    'norms of gamma and beta',
    'bert-masked-lm',
    (key: string) =>
      key
        .replace('LayerNorm.weight', 'LayerNorm.gamma')
        .replace('LayerNorm.bias', 'LayerNorm.beta'),
  ],
  ['a body under its prefix', 'bert', (key: string) => `bert.${key}`],
  ['a body without its prefix', 'bart', (key: string) => key.replace(/^model\./, '')],
  [
    "a head of GPT-NeoX's by its name in memory",
    'gpt-neox',
    (key: string) => key.replace('embed_out', 'lm_head'),
  ],
])('%s is the same model', async (_, name, spell) => {
  const [model, expected] = [await loadModel(respelt(name, spell)), await loadModel(golden(name))];
  expect(model.unusedKeys).toEqual([]);
  expect(model.newPaths).toEqual([]);
  expect(await valuesOf(model)).toEqual(await valuesOf(expected));
  model.params.dispose();
  expected.params.dispose();
});

test("Gemma 3's model of texts and pictures gives its text half, which is saved as a model of texts", async () => {
  const { architectures: _, ...texts } = JSON.parse(
    readFileSync(join(golden('gemma3-text'), 'config.json'), 'utf8'),
  );
  const folder = respelt('gemma3-text', (key) => `language_model.${key}`, {
    model_type: 'gemma3',
    architectures: ['Gemma3ForConditionalGeneration'],
    text_config: texts,
  });
  const [model, expected] = [await loadModel(folder), await loadModel(golden('gemma3-text'))];
  expect(model.unusedKeys).toEqual([]);
  expect(await valuesOf(model)).toEqual(await valuesOf(expected));
  expect(model.family.configJson(model.config)).toMatchObject({
    model_type: 'gemma3_text',
    architectures: ['Gemma3ForCausalLM'],
  });
  expect(model.family.preset(model.config)).toEqual(expected.family.preset(expected.config));
  model.params.dispose();
  expected.params.dispose();
});

test("BART's published base has no logits bias: it starts at 0, and is named", async () => {
  const folder = respelt(
    'bart',
    (key) => (key === 'final_logits_bias' ? undefined : key.replace(/^model\./, '')),
    { architectures: ['BartModel'] },
  );
  const model = await loadModel(folder);
  expect(model.newPaths).toEqual(['logitsBias']);
  expect(model.family.configJson(model.config)).toMatchObject({
    architectures: ['BartForConditionalGeneration'],
  });
  const { final_logits_bias: bias } = (await valuesOf(model)) as Record<string, Float32Array>;
  expect(bias).toEqual(new Float32Array(101));
  const { parameters } = await describeCheckpoint(folderFiles(folder));
  expect(parameters.map(({ path }) => path)).not.toContain('logitsBias');
  model.params.dispose();
});

test('a parameter that no spelling finds is named as it is spelt now', async () => {
  const folder = respelt('bert-masked-lm', (key) =>
    key.startsWith('bert.embeddings.LayerNorm.') ? undefined : key,
  );
  const missing = ['weight', 'bias'].map(
    (name) =>
      `no tensor 'bert.embeddings.LayerNorm.${name}', which holds parameter 'embeddingNorm.${name}'`,
  );
  for (const read of [() => loadModel(folder), () => describeCheckpoint(folderFiles(folder))]) {
    // One after the other: a promise that is refused while another is awaited ends the process.
    const lines = await read().then(
      () => [],
      ({ message }: Error) => message.split('\n'),
    );
    expect(lines).toHaveLength(2);
    lines.forEach((line, i) => {
      expect(line).toContain(missing[i]);
    });
  }
});

/** The head of a class that was pre-trained: its keys, and the class without it. */
const heads: readonly [golden: string, head: RegExp, bare: string][] = [
  ['bert-masked-lm', /^cls\./, 'BertModel'],
  ['bert-pretraining', /^cls\./, 'BertModel'],
  ['roberta-masked-lm', /^lm_head\./, 'RobertaModel'],
  ['camembert-masked-lm', /^lm_head\./, 'CamembertModel'],
  ['distilbert-masked-lm', /^vocab_/, 'DistilBertModel'],
  ['electra-masked-lm', /^generator_/, 'ElectraModel'],
  ['electra-pretraining', /^discriminator_/, 'ElectraModel'],
  ['mpnet-masked-lm', /^lm_head\./, 'MPNetModel'],
  ['modernbert-masked-lm', /^(head|decoder)\./, 'ModernBertModel'],
  ['deberta-masked-lm', /^cls\./, 'DebertaV2Model'],
];

test.each(heads)(
  '%s without its head, as folders of sentence models have it, is the body',
  async (name, head, bare) => {
    const folder = respelt(name, (key) => (head.test(key) ? undefined : key));
    const whole = await loadModel(golden(name));
    const model = await loadModel(folder);
    expect(model.config).toMatchObject({ architectures: [bare] });
    expect([model.newPaths, model.unusedKeys]).toEqual([[], []]);
    const [ours, theirs] = [await valuesOf(model), await valuesOf(whole)];
    const { keyPrefix } = model.family;
    for (const [key, values] of Object.entries(ours)) {
      expect(values, key).toEqual(theirs[keyPrefix + key]);
    }
    expect(Object.keys(ours).length).toBeGreaterThan(10);
    whole.params.dispose();
    model.params.dispose();
  },
);

test.each([
  ['mpnet-masked-lm', 'a part of a head', /^lm_head\.dense/, "no tensor 'lm_head.dense.weight'"],
  ['bert-reranker', 'a classifier', /^classifier\./, "no tensor 'classifier.weight'"],
])('%s without %s is refused', async (name, _, lost, message) => {
  const folder = respelt(name, (key) => (lost.test(key) ? undefined : key));
  await expect(loadModel(folder)).rejects.toThrow(message);
});
