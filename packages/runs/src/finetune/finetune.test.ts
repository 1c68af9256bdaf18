import { checkExamples } from '@headwise/data';
import { createModel, type Model, type WeightDtype } from '@headwise/models';
import { ChatTemplate, trainCharacter } from '@headwise/tokenizers';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { ValidationEntry } from '../history.js';
import { Memory } from '../memory.cases.js';
import { Session } from '../session.js';
import { type FinetuneMethod, type FinetuneSettings, parseFinetuneConfig } from './config.js';
import { encodeExamples } from './encode.js';
import { methodFormats } from './methods.js';
import { planFinetune } from './plan.js';
import { prepareFinetune } from './prepare.js';
import { finetuneWork } from './work.js';

const tokenizer = await trainCharacter(['abcdefghijklmnopqrstuvwxyz ?!.|:'], {
  specialTokens: ['[PAD]', '[MASK]', '[END]'],
});
const endId = tokenizer.tokenToId('[END]')!;
const { vocabSize } = tokenizer;

const decoder = (dtype: WeightDtype = 'f32') =>
  createModel(
    {
      model_type: 'llama',
      vocab_size: vocabSize,
      hidden_size: 24,
      intermediate_size: 48,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      max_position_embeddings: 32,
      bos_token_id: null,
      eos_token_id: null,
    },
    { dtype },
  );

const encoder = (head: object) =>
  createModel({
    model_type: 'bert',
    vocab_size: vocabSize,
    hidden_size: 24,
    intermediate_size: 48,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    max_position_embeddings: 32,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    ...head,
  });

const pairsModel = () =>
  createModel({
    model_type: 't5',
    vocab_size: vocabSize,
    d_model: 24,
    d_kv: 12,
    d_ff: 48,
    num_layers: 1,
    num_heads: 2,
    dropout_rate: 0,
    decoder_start_token_id: 0,
    eos_token_id: endId,
  });

const words = Array.from({ length: 24 }, (_, i) =>
  String.fromCharCode(97 + (i % 6), 97 + ((i * 5) % 6), 97 + ((i * 7) % 6)),
);
const pairs = words.map((word) => ({ prompt: `${word}?`, completion: word }));
const classes = { id2label: { 0: 'low', 1: 'high' } };

type Validation = ValidationEntry['validation'];

interface Case {
  rows: unknown[];
  model: () => Model;
  fall: number;
  metrics: string[];
}

const ofTokens = ['token accuracy', 'perplexity'];

/** What each method is given, and how far its loss falls; what is frozen beside an adapter is random, so that it learns less. */
const cases: Record<FinetuneMethod, Case> = {
  sft: { rows: pairs, model: decoder, fall: 0.5, metrics: ofTokens },
  lora: { rows: pairs, model: decoder, fall: 0.03, metrics: ofTokens },
  qlora: {
    rows: pairs,
    model: () => decoder('int8'),
    fall: 0.03,
    metrics: ofTokens,
  },
  pretrain: {
    rows: words.map((word) => ({ text: `${word} ${word} ${word}` })),
    model: decoder,
    fall: 0.1,
    metrics: ofTokens,
  },
  dpo: {
    rows: words.map((prompt) => ({ prompt, chosen: 'aa', rejected: 'bb' })),
    model: decoder,
    fall: 0.05,
    metrics: ['preference accuracy'],
  },
  kto: {
    rows: words.map((prompt, i) => ({
      prompt,
      completion: i % 2 ? 'aa' : 'bb',
      label: i % 2 === 1,
    })),
    model: decoder,
    fall: 0.01,
    metrics: ['preference accuracy'],
  },
  classify: {
    rows: words.map((text, i) => ({ text, label: i % 6 < 3 ? 'low' : 'high' })),
    model: () => encoder({ architectures: ['BertForSequenceClassification'], ...classes }),
    fall: 0.1,
    metrics: ['accuracy', 'F1'],
  },
  embed: {
    rows: Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i)).map((letter) => ({
      anchor: `a ${letter}${letter}`,
      positive: `${letter}?`,
    })),
    model: () => encoder({ architectures: ['BertModel'] }),
    fall: 0.1,
    metrics: ['recall@1'],
  },
  mlm: {
    rows: words.map((word) => ({ text: `${word} ${word} ${word}` })),
    model: () => encoder({ architectures: ['BertForMaskedLM'] }),
    fall: 0.5,
    metrics: ofTokens,
  },
  seq2seq: { rows: pairs, model: pairsModel, fall: 0.5, metrics: ofTokens },
};

/** More and more inputs of the decoder are its own predictions. */
const rising = { schedule: 'linear', from: 0.5, to: 1 } as const;

/** Fine-tunes a new model, and ends after so many steps of this session. */
async function run(
  settings: FinetuneSettings,
  storage = new Memory(),
  most = Number.POSITIVE_INFINITY,
) {
  const config = parseFinetuneConfig(settings);
  const { rows, model } = cases[config.method];
  const accepted = methodFormats(config.method);
  const examples = checkExamples(rows, { name: 'rows', accepted });
  const base = model();
  const data = await prepareFinetune(config, { examples, tokenizer, endId }, base);
  const session = await Session.of(finetuneWork(config, data, base), storage);
  await session.begin();
  for (let made = 0; made < most && (await session.advance()); made++);
  await session.save();
  session.dispose();
  return { losses: storage.losses, validations: storage.validations, storage };
}

describe.each(Object.entries(cases))('%s', (name, { fall, metrics }) => {
  const method = name as FinetuneMethod;
  const training = { steps: 20, learningRate: 0.02, batchSize: 4, checkpointEvery: 10 };

  test('lowers the loss on examples that it was not trained on', async () => {
    const { numTensors } = tf.memory();
    const { losses, validations } = await run({ method, training });
    expect(losses).toHaveLength(20);
    expect(validations).toHaveLength(2);
    const [before, after] = validations as [Validation, Validation];
    expect(after.loss).toBeLessThan(before.loss - fall);
    expect(Object.keys(after.metrics!)).toEqual(metrics);
    const [name] = metrics as [string];
    expect(after.metrics![name]).toBeGreaterThanOrEqual(before.metrics![name]!);
    expect(after.metrics![name]).toBeLessThanOrEqual(1);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  test('interrupted, makes the losses of a run that is not, to the bit', async () => {
    const short = {
      method,
      training: {
        ...training,
        steps: 4,
        emaDecay: 0.8,
        batchSize: method === 'embed' ? 4 : 2,
        accumulate: method === 'embed' ? 1 : 2,
        ...(method === 'seq2seq' && { scheduledSampling: rising }),
      },
    };
    const straight = await run(short);
    const broken = await run(short, new Memory(), 2);
    expect(broken.losses).toHaveLength(2);
    const resumed = await run(short, broken.storage);
    expect(resumed.losses).toEqual(straight.losses);
    // Measured with the averages of weights.
    expect(resumed.validations).toEqual(straight.validations);
  });
});

describe('what is learned', () => {
  const config = parseFinetuneConfig({
    method: 'sft',
    data: { validation: 0, maxLength: 16 },
    training: { epochs: 1, batchSize: 1 },
  });
  const chatTemplate = new ChatTemplate({
    chat_template:
      '{% for m in messages %}{{ m.role[0] }}:{{ m.content }}|{% endfor %}{% if add_generation_prompt %}a:{% endif %}',
  });

  /** The predicted part of the only batch, as text; a dot for what is not predicted. */
  async function predicted(row: object, template?: ChatTemplate): Promise<string> {
    const examples = checkExamples([row], { name: 'rows', accepted: methodFormats('sft') });
    const model = decoder();
    const sources = { examples, tokenizer, endId, chatTemplate: template };
    const { batches } = await prepareFinetune(config, sources, model);
    model.params.dispose();
    const { targets } = batches.at(0) as unknown as { targets: Int32Array };
    const text = (id: number) =>
      id < 0 ? '.' : tokenizer.decode([id], { skipSpecialTokens: false });
    return [...targets].map(text).join('');
  }

  test('is a text with its end, a completion with its end, and the assistant’s turns of a chat', async () => {
    expect(await predicted({ text: 'abc' })).toBe('bc[END]');
    expect(await predicted({ prompt: 'abc?', completion: 'cba' })).toBe('...cba[END]');
    const turn = (role: string, content: string) => ({ role, content });
    const messages = [
      turn('user', 'ab'),
      turn('assistant', 'b'),
      turn('user', 'c'),
      turn('assistant', 'd'),
    ];
    expect(await predicted({ messages }, chatTemplate)).toBe('......b|......d');
    const marked = new ChatTemplate({
      chat_template:
        '{% for m in messages %}{{ m.role[0] }}:{% if m.role == "assistant" %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}|{% endfor %}',
    });
    // The marks leave out what ends a turn here; nothing else of the template says where a turn starts.
    expect(await predicted({ messages }, marked)).toBe('......b.......d');
    const forgetful = new ChatTemplate({
      chat_template: '{{ messages[-1].role[0] }}:{{ messages[-1].content }}|',
    });
    await expect(predicted({ messages }, forgetful)).rejects.toThrow(
      /^example 1: .* has no {% generation %} marks, and writes the chat up to message 1 differently/,
    );
    await expect(predicted({ messages })).rejects.toThrow(
      "the model's folder has no chat template",
    );
  });

  test('preferences and judgements of chats are those of their texts, with the end that the template writes', async () => {
    const user = [{ role: 'user', content: 'ab' }];
    const said = (content: string) => [{ role: 'assistant', content }];
    const asText = { prompt: 'u:ab|a:', chosen: 'c|', rejected: 'dd|', completion: 'c|' };
    const asChat = { prompt: user, chosen: said('c'), rejected: said('dd'), completion: said('c') };
    for (const method of ['dpo', 'kto'] as const) {
      const own = parseFinetuneConfig({ method, data: { validation: 0 } });
      const batchOf = async (row: object, more: object) => {
        const rows = [true, false].map((label) => ({ ...row, label }));
        const examples = checkExamples(rows, { name: 'rows', accepted: methodFormats(method) });
        const model = decoder();
        const { batches } = await prepareFinetune(own, { examples, tokenizer, ...more }, model);
        model.params.dispose();
        return batches.at(0);
      };
      expect(await batchOf(asChat, { endId, chatTemplate })).toEqual(await batchOf(asText, {}));
      await expect(batchOf(asChat, { endId })).rejects.toThrow('folder has no chat template');
    }
  });

  test('the share of a decoder’s own inputs follows the updates, however many batches each has', async () => {
    const settings = {
      method: 'seq2seq',
      data: { validation: 0 },
      training: { steps: 2, batchSize: 2, accumulate: 2, scheduledSampling: rising },
    };
    const examples = checkExamples(pairs, { name: 'rows', accepted: methodFormats('seq2seq') });
    const model = pairsModel();
    const asked = parseFinetuneConfig(settings);
    const { batches } = await prepareFinetune(asked, { examples, tokenizer, endId }, model);
    model.params.dispose();
    const shares = [0, 1, 2, 3, 4].map((n) => (batches.at(n) as { sampled?: number }).sampled);
    expect(shares).toEqual([0.5, 0.5, 0.75, 0.75, 1]);
  });

  test('batches by tokens see every example once an epoch, and hold no more than so many', async () => {
    const rows = Array.from({ length: 12 }, (_, n) => ({
      prompt: 'a',
      completion: 'b'.repeat(1 + n),
    }));
    const examples = checkExamples(rows, { name: 'rows', accepted: methodFormats('sft') });
    const settings = {
      data: { validation: 0 },
      training: { batchTokens: 30, batchSize: 100, epochs: 1 },
    };
    const byTokens = parseFinetuneConfig({ method: 'sft', ...settings });
    const model = decoder();
    const { batches, steps } = await prepareFinetune(
      byTokens,
      { examples, tokenizer, endId },
      model,
    );
    model.params.dispose();
    const made = Array.from({ length: steps }, (_, n) => batches.at(n));
    expect(made.flatMap((batch) => batch.examples).toSorted((a, b) => a! - b!)).toEqual(
      rows.map((_, n) => n + 1),
    );
    // An example is an input shorter than its tokens.
    for (const { shape } of made) expect(shape[0] * (shape[1]! + 1)).toBeLessThanOrEqual(30);
    expect(Math.max(...made.map(({ shape }) => shape[0]))).toBe(4);
    expect(steps).toBeLessThan(7);
    expect(batches.at(steps + 1).examples).toHaveLength(batches.at(steps + 1).shape[0]);
  });

  test('the plan is that of the largest batch, and over a limit it is refused before the model is there', async () => {
    const rows = [{ text: 'abc' }, { text: 'abcdefgh' }];
    const examples = checkExamples(rows, { name: 'rows', accepted: methodFormats('sft') });
    const configuration = {
      model_type: 'gpt2',
      vocab_size: vocabSize,
      n_embd: 16,
      n_head: 2,
      n_layer: 1,
    };
    const encoded = encodeExamples(config, { examples, tokenizer, endId }, configuration);
    expect(encoded.largest).toEqual({ tokens: 9 });
    const plan = await planFinetune(config, encoded, configuration);
    expect(plan.peak).toBeGreaterThan(plan.weights + plan.gradients + plan.optimizer);
    const averaging = { ...config, training: { ...config.training, emaDecay: 0.9 } };
    const averaged = await planFinetune(averaging, encoded, configuration);
    expect(averaged.averages).toBe(plan.gradients);
    expect(averaged.peak).toBeGreaterThan(plan.peak);
    const wider = { ...config, training: { ...config.training, batchSize: 64 } };
    expect((await planFinetune(wider, encoded, configuration)).peak).toBeGreaterThan(plan.peak);
    const remedies = { batch: (size: number, more: number) => `${size} x ${more}` };
    await expect(
      planFinetune(wider, encoded, configuration, { limit: plan.peak * 1.5, remedies }),
    ).rejects.toThrow(
      /^training needs .* the limit is .*\n.*weights .*\n.*\n {2}\d+ x \d+ .*, which fits$/,
    );
    await expect(
      planFinetune(config, encoded, {
        model_type: 'bert',
        architectures: ['BertForMaskedLM'],
        vocab_size: vocabSize,
        hidden_size: 16,
        num_attention_heads: 2,
        num_hidden_layers: 1,
        intermediate_size: 16,
      }),
    ).rejects.toThrow('the model does not predict the next token; expected a decoder');
  });

  test('longer examples are cut, those whose completion is beyond the cut left out, and both are counted', async () => {
    const rows = [
      { prompt: 'a', completion: 'b'.repeat(30) },
      { prompt: 'a'.repeat(30), completion: 'b' },
      { prompt: 'a', completion: 'b' },
    ];
    const examples = checkExamples(rows, { name: 'rows', accepted: methodFormats('sft') });
    const model = decoder();
    const { counts, steps } = await prepareFinetune(config, { examples, tokenizer, endId }, model);
    model.params.dispose();
    expect(counts).toMatchObject({ train: 2, validation: 0, cut: 1, leftOut: 1, longest: 16 });
    expect(steps).toBe(2);
  });
});
