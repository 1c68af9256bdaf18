import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filterDocuments } from '@headwise/data/node';
import { languageModel } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { readSafetensors, writeSafetensors } from '@headwise/safetensors';
import { trainCharacter } from '@headwise/tokenizers';
import { saveTokenizer } from '@headwise/tokenizers/node';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { classProbabilities } from '../../scores/class-probabilities.js';
import { perplexities } from '../../scores/perplexities.js';
import { stepMakers } from './makers.js';
import { modelSteps } from './model-steps.js';

const work = mkdtempSync(join(tmpdir(), 'headwise-steps-'));
const tokenizer = await trainCharacter(['abcdefgh ']);

/** A model of transformers with random weights, and a tokenizer beside it. */
async function modelOf(name: string): Promise<string> {
  const from = fileURLToPath(new URL(`../../../../parity/goldens/${name}`, import.meta.url));
  cpSync(from, join(work, name), { recursive: true });
  await saveTokenizer(tokenizer, join(work, name, 'tokenizer.json'));
  return join(work, name);
}

const [lm, classes] = [await modelOf('gpt2'), await modelOf('bert-sequence-classification')];

/** Texts of up to sixty characters, some beyond the models' contexts of 16. */
const texts = Array.from({ length: 70 }, (_, i) =>
  Array.from({ length: (i * 7) % 61 }, (_, k) => 'abcdefgh '[(i * i + k * (i % 8)) % 9]).join(''),
);
const raw = join(work, 'raw.jsonl');
writeFileSync(raw, texts.map((text, i) => JSON.stringify({ id: i, text })).join('\n'));

const run = (out: string, steps: object[], options: object = {}) =>
  filterDocuments([raw], join(work, out), {
    steps: steps as { step: string }[],
    stepModule: modelSteps({ backend: 'cpu' }),
    rejects: true,
    unitBytes: 2000,
    ...options,
  });

const linesOf = (out: string, part: string) =>
  readdirSync(join(work, out, part))
    .sort()
    .flatMap((name) => readFileSync(join(work, out, part, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const perplexity = { step: 'perplexity', model: lm, max: 120, min: 40 };
const classifier = { step: 'classifier', model: classes, label: 'LABEL_1', threshold: 0.335 };

test('documents stay by what the models say of each alone, and a run that goes on ends with the same bytes', async () => {
  const { numTensors } = tf.memory();
  const steps = [perplexity, { ...classifier, store: 'quality' }];
  const report = await run('out', steps);
  expect(tf.memory().numTensors).toBe(numTensors);

  const { network, params } = languageModel(await loadModel(lm));
  const classes_ = await loadModel(classes);
  const ids = texts.map((text) => tokenizer.encode(text).ids);
  const expected: Record<string, number[]> = {};
  const note = (rule: string, i: number) => {
    expected[rule] ??= [];
    expected[rule].push(i);
  };
  for (const [i, sequence] of ids.entries()) {
    const [value] = await perplexities(network, [sequence]);
    if (value === undefined) note('perplexity_too_short', i);
    else if (value < 40) note('perplexity_below_min', i);
    else if (value > 120) note('perplexity_above_max', i);
    else {
      const [row] = await classProbabilities(classes_, [sequence.slice(0, 16)]);
      note(row![1]! < 0.335 ? 'classifier_not_LABEL_1' : 'kept', i);
    }
  }
  params.dispose();
  classes_.params.dispose();
  const found: Record<string, number[]> = {
    kept: linesOf('out', 'documents').map(({ id }) => Number(id)),
  };
  for (const { id, rejected } of linesOf('out', 'rejects')) {
    found[rejected.rule] ??= [];
    found[rejected.rule]!.push(Number(id));
  }
  expect(found).toEqual(expected);
  for (const rule of ['kept', 'classifier_not_LABEL_1', 'perplexity_above_max']) {
    expect(expected[rule]!.length, rule).toBeGreaterThan(2);
  }
  for (const { quality } of linesOf('out', 'documents'))
    expect(quality).toBeGreaterThanOrEqual(0.335);
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count);
  expect(report.steps.map(({ measured }) => [measured!.name, sum(measured!.counts)])).toEqual([
    ['perplexity', 70 - expected.perplexity_too_short!.length],
    ['probability of LABEL_1', report.steps[1]!.read.documents],
  ]);

  const before = [linesOf('out', 'documents'), linesOf('out', 'rejects')];
  for (const name of ['units/00001.json', 'documents/00001.jsonl']) rmSync(join(work, 'out', name));
  expect(await run('out', steps)).toEqual(report);
  expect([linesOf('out', 'documents'), linesOf('out', 'rejects')]).toEqual(before);
  const other = { stepModule: modelSteps({ backend: 'wasm' }) };
  await expect(run('out', steps, other)).rejects.toThrow(/with other inputs or settings/);
});

test('a folder whose tokenizer cannot be read leaves no model in memory', async () => {
  const folder = join(work, 'without-tokenizer');
  cpSync(lm, folder, { recursive: true });
  const tools = { backend: 'cpu' as const };
  const { perplexity: maker } = stepMakers(tools);
  const step = await maker!({ model: folder, max: 100 }, 'step 1', {});
  rmSync(join(folder, 'tokenizer.json'));
  const { numTensors } = tf.memory();
  await expect(step.apply([{ id: '1', text: 'abc', meta: {} }])).rejects.toThrow(/tokenizer/);
  expect(tf.memory().numTensors).toBe(numTensors);
});

test('texts are cut to the tokens that are asked for', async () => {
  const { steps } = await run('cut', [{ ...perplexity, maxTokens: 1 }]);
  expect(Object.keys(steps[0]!.dropped)).toEqual(['perplexity_too_short']);
  const only = await run('classifier', [{ ...classifier, threshold: 0, maxTokens: 4 }]);
  expect(only.kept.documents).toBe(texts.filter((text) => text !== '').length);
  expect(Object.keys(only.steps[0]!.dropped)).toEqual(['classifier_no_tokens']);
});

test.each([
  [perplexity, 'transformer.ln_f.bias', 'has NaN as perplexity by'],
  [classifier, 'classifier.weight', 'has NaN as probability of LABEL_1 by'],
])('a model whose scores overflow ends the run: %j', async (step, key, message) => {
  const folder = join(work, `${step.step}-overflow`);
  cpSync(step.model, folder, { recursive: true });
  const file = join(folder, 'model.safetensors');
  const weights = readSafetensors(readFileSync(file));
  const tensors = Object.fromEntries([...weights.tensors.keys()].map((k) => [k, weights.get(k)]));
  const { shape } = weights.tensors.get(key)!;
  const data = new Float32Array(shape.reduce((all, size) => all * size)).fill(3e38);
  const bytes = new Uint8Array(data.buffer);
  writeFileSync(
    file,
    writeSafetensors({ ...tensors, [key]: { dtype: 'F32', shape, data: bytes } }),
  );
  const large = { ...step, model: folder };
  await expect(run(`${step.step}-overflow-out`, [large])).rejects.toThrow(message);
});

test.each([
  [{ ...classifier, model: lm }, /gpt2 does not classify texts: its head is 'language-model'/],
  [{ ...classifier, label: 'good' }, /label is "good"; the labels of .* are LABEL_0, LABEL_1/],
  [{ ...classifier, label: undefined }, /classifier: label is undefined; expected/],
  [{ ...classifier, threshold: 2 }, /threshold is 2; expected a number from 0 to 1/],
  [{ ...classifier, model: join(work, 'none') }, /step 1, classifier: .*none/],
  [{ ...classifier, least: 1 }, /'least' is not an option; expected one of model, label/],
  [
    { ...perplexity, model: classes },
    /does not predict the next token: its topology is 'encoder' and its head 'sequence-/,
  ],
  [{ step: 'perplexity', model: lm }, /min and max are missing; expected a bound/],
  [{ ...perplexity, min: 200 }, /min is 200 and max 120; expected min up to max/],
  [{ step: 'perplexity', max: 3 }, /perplexity: model is undefined; expected the folder/],
])('a step that cannot be made is refused by name: %j', async (step, message) => {
  const given = Object.fromEntries(Object.entries(step).filter(([, v]) => v !== undefined));
  await expect(run('refused', [given])).rejects.toThrow(message);
});
