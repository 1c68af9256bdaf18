import { cases } from '@headwise/testing';
import { lossAndGradients } from '@headwise/training';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { prepareData } from './data.js';
import { checkRunFits } from './model.js';
import { newWork } from './new-work.js';
import { parseRunConfig } from './parse-run-config.js';
import { planRun } from './plan-run.js';
import { objectiveNeeds, type RunObjective, runObjectives } from './run-objectives.js';

const words = ['Whales', 'A man', 'Boats', 'We', 'Ships'];
const text = Array.from({ length: 40 }, (_, i) =>
  [0, 1, 2].map((n) => `${words[(i + n) % 5]} saw ${words[(i * 3 + n) % 5]}.`).join(' '),
).join('\n\n');

const bert = {
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
};
const llama = { ...bert, model_type: 'llama', num_key_value_heads: 2 };
const bart = {
  ...{ d_model: 16, encoder_layers: 1, decoder_layers: 1, encoder_attention_heads: 2 },
  ...{ decoder_attention_heads: 2, encoder_ffn_dim: 32, decoder_ffn_dim: 32 },
};
const t5 = { model_type: 't5', num_heads: 2, num_layers: 1, d_model: 16, d_kv: 8, d_ff: 32 };
const own = {
  ...{ model_type: 'headwise', maxLength: 64, dim: 16, layers: 1, embedding: {} },
  ...{ position: { kind: 'sinusoidal' }, heads: { count: 2 }, norm: { kind: 'layer' } },
  ...{ feedForward: { kind: 'plain' }, block: 'pre-norm' },
};
const ofTokens = { kind: 'language-model', tied: true };

/** A model of every family and head that learns from text alone, and the objectives that it learns. */
const families: Record<string, { config: object; learns: readonly RunObjective[] }> = {
  gpt2: {
    config: { model_type: 'gpt2', n_embd: 16, n_layer: 1, n_head: 2 },
    learns: ['causal-lm'],
  },
  llama: { config: llama, learns: ['causal-lm'] },
  mistral: { config: { ...llama, model_type: 'mistral' }, learns: ['causal-lm'] },
  qwen2: { config: { ...llama, model_type: 'qwen2' }, learns: ['causal-lm'] },
  falcon: {
    config: { model_type: 'falcon', hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2 },
    learns: ['causal-lm'],
  },
  bloom: {
    config: { model_type: 'bloom', hidden_size: 16, n_layer: 1, n_head: 2 },
    learns: ['causal-lm'],
  },
  'transformer-xl': {
    config: {
      ...{ model_type: 'transfo-xl', d_model: 16, d_embed: 16, n_head: 2, d_head: 8, d_inner: 32 },
      ...{ n_layer: 1, mem_len: 64, cutoffs: [], div_val: 1, proj_share_all_but_first: false },
    },
    learns: ['causal-lm'],
  },
  'headwise decoder': {
    config: { ...own, topology: 'decoder', head: ofTokens },
    learns: ['causal-lm'],
  },
  bert: {
    config: { ...bert, model_type: 'bert', architectures: ['BertForMaskedLM'] },
    learns: ['masked-lm'],
  },
  'bert, pre-training': {
    config: { ...bert, model_type: 'bert', architectures: ['BertForPreTraining'] },
    learns: ['next-sentence', 'sentence-order'],
  },
  'bert, a classifier': {
    config: { ...bert, model_type: 'bert', architectures: ['BertForSequenceClassification'] },
    learns: [],
  },
  roberta: {
    config: { ...bert, model_type: 'roberta', architectures: ['RobertaForMaskedLM'] },
    learns: ['masked-lm'],
  },
  albert: {
    config: {
      ...{ ...bert, num_hidden_layers: 3, model_type: 'albert', embedding_size: 8 },
      architectures: ['AlbertForMaskedLM'],
    },
    learns: ['masked-lm'],
  },
  modernbert: {
    config: {
      ...{ ...bert, num_hidden_layers: 2, model_type: 'modernbert', local_attention: 8 },
      ...{ architectures: ['ModernBertForMaskedLM'], pad_token_id: null },
    },
    learns: ['masked-lm'],
  },
  'deberta, version 3': {
    config: {
      ...{ ...bert, model_type: 'deberta-v2', relative_attention: true, position_buckets: 8 },
      ...{ pos_att_type: 'p2c|c2p', share_att_key: true, norm_rel_ebd: 'layer_norm' },
      architectures: ['DebertaV2ForMaskedLM'],
    },
    learns: ['masked-lm'],
  },
  'electra, a discriminator': {
    config: { ...bert, model_type: 'electra', architectures: ['ElectraForPreTraining'] },
    learns: [],
  },
  'headwise encoder': {
    config: { ...own, topology: 'encoder', head: { kind: 'masked-language-model', tied: true } },
    learns: ['masked-lm'],
  },
  t5: { config: t5, learns: ['span-corruption', 'denoising'] },
  bart: { config: { ...bart, model_type: 'bart' }, learns: ['span-corruption', 'denoising'] },
  'transformer of 2017': {
    config: { ...bart, model_type: 'marian' },
    learns: ['span-corruption', 'denoising'],
  },
  'headwise encoder-decoder': {
    config: { ...own, topology: 'encoder-decoder', head: ofTokens },
    learns: ['span-corruption', 'denoising'],
  },
};

const run = (objective: RunObjective, config: object, data: object = {}) =>
  parseRunConfig({
    objective,
    model: { config, context: 64 },
    tokenizer: { kind: 'character' },
    data: { corpus: 'a.txt', validationTokens: 130, ...data },
    training: { steps: 1, batchSize: 2 },
  });

/** Plans a run, makes one step of it and measures it. */
async function trained(config: ReturnType<typeof run>) {
  const data = await prepareData(config, { text });
  const plan = await planRun(config, data.tokenizer);
  const { numTensors } = tf.memory();
  const work = newWork(config, data);
  const batch = await work.batches.at(0);
  const params = work.model.params.named();
  const { loss, gradients } = lossAndGradients(params, () => work.objective.loss(batch));
  work.optimizer.update(gradients, 0.01);
  const [first] = await loss.data();
  const measured = await work.measure!({});
  tf.dispose([loss, gradients]);
  work.optimizer.dispose();
  work.model.params.dispose();
  expect(tf.memory().numTensors).toBe(numTensors);
  return { plan, first: first!, measured, batch, data };
}

const representatives = ['bert, pre-training', 'bart'];

for (const [family, { config, learns }] of cases(Object.entries(families), ([name]) =>
  representatives.includes(name),
)) {
  test(`${family}: each objective is learned or refused by name`, async () => {
    for (const objective of runObjectives) {
      const asked = run(objective, config);
      if (learns.includes(objective)) {
        const { plan, first, measured } = await trained(asked);
        expect(plan.peak, objective).toBeGreaterThan(plan.weights);
        // Near the uniform distribution, with the loss of pairs on top.
        expect(first, objective).toBeGreaterThan(1);
        expect(first, objective).toBeLessThan(12);
        expect(Number.isFinite(measured!.loss), objective).toBe(true);
      } else {
        expect(() => checkRunFits(asked), objective).toThrow(objectiveNeeds[objective].words);
      }
    }
  });
}

test('packed documents are whole, end, are planned and measured by their bytes', async () => {
  const config = run('causal-lm', families.gpt2!.config, { packing: 'best-fit' });
  const { batch, data, plan, measured } = await trained(config);
  expect(plan.peak).toBeGreaterThan(plan.weights);
  const end = data.tokenizer.tokenToId('</s>')!;
  const { inputs, targets, documents, shape } = batch as unknown as Record<string, Int32Array>;
  expect(shape).toEqual([2, 64]);
  // A document's end is predicted after its last character, and is never read.
  expect(targets).toContain(end);
  expect(inputs!.some((id, i) => id === end && targets![i]! >= 0)).toBe(false);
  expect(Math.max(...documents!.subarray(0, 64))).toBeGreaterThan(0);
  const bits = (measured!.loss * countOf(data.validation())) / Math.LN2 / data.validationBytes!;
  expect(measured!.bitsPerByte).toBeCloseTo(bits, 6);
});

const countOf = (batches: Iterable<{ targets: Int32Array }>) =>
  [...batches].reduce((sum, { targets }) => sum + targets.filter((id) => id >= 0).length, 0);

test('what reads no documents, and documents that are none, are refused by name', async () => {
  const gpt2 = families.gpt2!.config;
  const pretraining = families['bert, pre-training']!.config;
  expect(() => run('causal-lm', gpt2, { separator: '\n' })).toThrow(
    `'data.separator' is "\\n"; it parts documents for 'data.packing', and for 'next-sentence'`,
  );
  expect(() => run('masked-lm', gpt2, { packing: 'concatenate' })).toThrow(
    "'data.packing' is 'concatenate' and 'objective' 'masked-lm'; documents are packed for 'causal-lm'",
  );
  expect(run('sentence-order', pretraining).data).toHaveProperty('separator', '\n\n');
  const prepared = (objective: RunObjective, separator: string) =>
    prepareData(run(objective, pretraining, { separator }), { text });
  await expect(prepared('next-sentence', '|')).rejects.toThrow(
    `documents parted by 'data.separator' "|": there are 1 documents, expected at least 2`,
  );
  await expect(prepared('sentence-order', '.')).rejects.toThrow(
    'its documents give 0 pairs to train on and 0 to validate; expected documents of several sentences',
  );
});
