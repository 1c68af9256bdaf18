import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EncoderModel, isEncoder, isEncoderDecoder, type LanguageModel } from '@headwise/core';
import { readSafetensors, type TensorInput, writeSafetensors } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, test } from 'vitest';
import { describeCheckpoint, type Model } from '../index.js';
import { folderFiles, loadModel, saveModel } from '../node.js';

const root = mkdtempSync(join(tmpdir(), 'headwise-ties-'));
afterAll(() => rmSync(root, { recursive: true }));
const golden = (name: string) =>
  new URL(`../../../parity/goldens/${name}/`, import.meta.url).pathname;

type Tensors = Map<string, TensorInput>;

/** A golden with other tensors and another configuration. */
function changed(
  name: string,
  change: (tensors: Tensors) => void,
  settings: Record<string, unknown> = {},
): string {
  const folder = mkdtempSync(join(root, `${name}-`));
  const config = JSON.parse(readFileSync(join(golden(name), 'config.json'), 'utf8'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...settings }));
  const file = readSafetensors(readFileSync(join(golden(name), 'model.safetensors')));
  const tensors: Tensors = new Map([...file.tensors.keys()].map((key) => [key, file.get(key)]));
  change(tensors);
  writeFileSync(join(folder, 'model.safetensors'), writeSafetensors(Object.fromEntries(tensors)));
  return folder;
}

const move = (from: string, to: string) => (tensors: Tensors) => {
  copy(from, to)(tensors);
  tensors.delete(from);
};
const copy = (from: string, to: string) => (tensors: Tensors) => {
  tensors.set(to, tensors.get(from)!);
};
const both =
  (...changes: ((tensors: Tensors) => void)[]) =>
  (tensors: Tensors) => {
    for (const change of changes) change(tensors);
  };
/** A tensor of the shape of another with other values. */
const other = (like: string, key: string) => (tensors: Tensors) => {
  const { shape, dtype, data } = tensors.get(like)! as TensorInput & { data: Float32Array };
  tensors.set(key, { shape, dtype, data: data.map((value) => value / 2) } as TensorInput);
};

const ids = tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6], [2, 4], 'int32');

/** What a model computes: scores where it has some, else its hidden states. */
async function outputOf({ network }: Model): Promise<unknown> {
  const run = () => {
    if (isEncoderDecoder(network)) return network.decode(ids, network.encode(ids));
    if (!isEncoder(network)) return network.forward(ids);
    const { logits, hidden } = network.forward(ids);
    return logits ?? hidden!;
  };
  return tf.tidy(run).data();
}

async function expectSame(folder: string, reference: string, unused: string[] = []) {
  const [model, expected] = [await loadModel(folder), await loadModel(reference)];
  expect(model.unusedKeys).toEqual(unused);
  expect(model.newPaths).toEqual([]);
  expect(await outputOf(model)).toEqual(await outputOf(expected));
  // Saved and loaded, it is the same again.
  const saved = mkdtempSync(join(root, 'saved-'));
  await saveModel(saved, model);
  const again = await loadModel(saved);
  expect(await outputOf(again)).toEqual(await outputOf(expected));
  for (const { params } of [model, expected, again]) params.dispose();
}

// The outputs of the goldens are those of transformers, as the parity tests show.
describe('tied weights stored twice or once', () => {
  const embedding = 'model.embed_tokens.weight';
  const bertTable = 'bert.embeddings.word_embeddings.weight';
  const robertaTable = 'roberta.embeddings.word_embeddings.weight';
  const none = () => {};
  const cases: [what: string, folder: () => string, reference: string, unused?: string[]][] = [
    [
      'a head that differs is not tied, whatever the configuration says',
      () => changed('llama', none, { tie_word_embeddings: true }),
      'llama',
    ],
    [
      'GPT-2: the same',
      () => changed('gpt2-untied', none, { tie_word_embeddings: true }),
      'gpt2-untied',
    ],
    [
      'a head that repeats the embeddings is tied',
      () => changed('qwen2', copy(embedding, 'lm_head.weight')),
      'qwen2',
    ],
    [
      'a tied file with the head alone',
      () => changed('qwen2', move(embedding, 'lm_head.weight')),
      'qwen2',
    ],
    [
      'a head beside a classifier is not used, and listed',
      () =>
        changed('gpt2-sequence-classification', other('transformer.wte.weight', 'lm_head.weight')),
      'gpt2-sequence-classification',
      ['lm_head.weight'],
    ],
    [
      'T5 1.1 as transformers 5 writes it: tied, with a head that differs',
      () => changed('t5-v1.1', none, { tie_word_embeddings: true, scale_decoder_outputs: false }),
      't5-v1.1',
    ],
    [
      "T5's table under the encoder's key",
      () => changed('t5', move('shared.weight', 'encoder.embed_tokens.weight')),
      't5',
    ],
    [
      "T5's table under both sides' keys",
      () =>
        changed(
          't5',
          both(
            copy('shared.weight', 'encoder.embed_tokens.weight'),
            move('shared.weight', 'decoder.embed_tokens.weight'),
          ),
        ),
      't5',
    ],
    [
      "BART's table under the head's key",
      () => changed('bart', move('model.shared.weight', 'lm_head.weight')),
      'bart',
    ],
    [
      'a head of masked tokens that is written out',
      () =>
        changed(
          'bert-masked-lm',
          both(
            copy(bertTable, 'cls.predictions.decoder.weight'),
            copy('cls.predictions.bias', 'cls.predictions.decoder.bias'),
          ),
        ),
      'bert-masked-lm',
    ],
    [
      'a head of masked tokens that is not tied',
      () =>
        changed(
          'bert-masked-lm',
          both(
            copy(bertTable, 'cls.predictions.decoder.weight'),
            copy('cls.predictions.bias', 'cls.predictions.decoder.bias'),
          ),
          { tie_word_embeddings: false },
        ),
      'bert-masked-lm',
      ['cls.predictions.bias'],
    ],
    [
      'RoBERTa with the bias of its head under the other key',
      () =>
        changed(
          'roberta-masked-lm',
          both(
            copy(robertaTable, 'lm_head.decoder.weight'),
            move('lm_head.bias', 'lm_head.decoder.bias'),
          ),
        ),
      'roberta-masked-lm',
    ],
    [
      'XLM-RoBERTa, whose files are those of RoBERTa',
      () =>
        changed('roberta-masked-lm', none, {
          model_type: 'xlm-roberta',
          architectures: ['XLMRobertaForMaskedLM'],
        }),
      'roberta-masked-lm',
    ],
    [
      'CamemBERT, whose files are those of RoBERTa',
      () =>
        changed('roberta-sequence-classification', none, {
          model_type: 'camembert',
          architectures: ['CamembertForSequenceClassification'],
        }),
      'roberta-sequence-classification',
    ],
  ];
  for (const [what, folder, reference, unused] of cases) {
    test(what, () => expectSame(folder(), golden(reference), unused));
  }

  test("T5 without a head has the embeddings', of states that are not scaled", async () => {
    const without = changed('t5-v1.1', (tensors) => tensors.delete('lm_head.weight'));
    const written = changed('t5-v1.1', copy('shared.weight', 'lm_head.weight'));
    await expectSame(without, written);
  });

  test('a head of masked tokens that differs is taken, and its own bias', async () => {
    const change = both(
      other(bertTable, 'cls.predictions.decoder.weight'),
      other('cls.predictions.bias', 'cls.predictions.decoder.bias'),
    );
    const folder = changed('bert-masked-lm', change);
    await expectSame(folder, changed('bert-masked-lm', change, { tie_word_embeddings: false }), [
      'cls.predictions.bias',
    ]);
  });

  test('a head of masked tokens that differs is taken, with the bias that is there once', async () => {
    const once = other(bertTable, 'cls.predictions.decoder.weight');
    const written = both(once, copy('cls.predictions.bias', 'cls.predictions.decoder.bias'));
    await expectSame(
      changed('bert-masked-lm', once),
      changed('bert-masked-lm', written, { tie_word_embeddings: false }),
    );
  });

  test('an encoder-decoder whose file ties nothing, and says so, is the same again', () =>
    expectSame(
      changed(
        'bart',
        both(
          copy('model.shared.weight', 'model.encoder.embed_tokens.weight'),
          copy('model.shared.weight', 'model.decoder.embed_tokens.weight'),
          copy('model.shared.weight', 'lm_head.weight'),
        ),
        { tie_word_embeddings: false },
      ),
      golden('bart'),
      ['model.shared.weight'],
    ));

  test.each([
    ['bart-untied', ['model.shared.weight']],
    ['marian-untied', []],
    ['t5-untied', []],
  ])('%s is saved with the tables that it has', (name, unused) =>
    expectSame(golden(name), golden(name), unused),
  );

  test('a table that an untied file lacks is the shared one', () =>
    expectSame(
      changed('marian', copy('model.shared.weight', 'lm_head.weight'), {
        tie_word_embeddings: false,
      }),
      golden('marian'),
    ));

  test('a family whose weights are always tied refuses those that differ, with both keys', async () => {
    const word = 'transformer.word_emb.emb_layers.0.weight';
    const folder = changed('transformer-xl-plain', other(word, 'crit.out_layers.0.weight'));
    await expect(loadModel(folder)).rejects.toThrow(
      `tensor 'crit.out_layers.0.weight' is another than '${word}'; in models of family 'transfo-xl' they are one`,
    );
    // What describes it closes its files too.
    let open = 0;
    const files = folderFiles(folder);
    const counted = {
      name: files.name,
      async open(name: string) {
        const source = await files.open(name);
        if (!source) return undefined;
        open++;
        const close = async () => {
          open--;
          await source.close();
        };
        return {
          name: source.name,
          size: source.size,
          read: (position: number, into: Uint8Array) => source.read(position, into),
          close,
        };
      },
    };
    await expect(describeCheckpoint(counted)).rejects.toThrow('is another than');
    expect(open).toBe(0);
  });
});

describe('bodies without a head', () => {
  test.each([
    ['llama', 'LlamaModel'],
    ['mistral', 'MistralModel'],
    ['llama-linear', 'LlamaModel'],
  ])('%s as %s gives the hidden states of the whole model', async (name, architecture) => {
    const folder = changed(
      name,
      (tensors) => {
        tensors.delete('lm_head.weight');
        for (const key of [...tensors.keys()]) move(key, key.replace(/^model\./, ''))(tensors);
      },
      { architectures: [architecture] },
    );
    const [body, whole] = [await loadModel(folder), await loadModel(golden(name))];
    expect(body.unusedKeys).toEqual([]);
    const hidden = (body.network as EncoderModel).forward(ids).hidden!;
    const expected = (whole.network as LanguageModel).head!.hidden(ids);
    expect(await hidden.data()).toEqual(await expected.data());
    for (const { params } of [body, whole]) params.dispose();
  });

  test('a class without a head whose file has one is the whole model', () =>
    expectSame(
      changed('llama', () => {}, { architectures: ['LlamaModel'] }),
      golden('llama'),
    ));

  test.each([
    ['bert', 'pooler.dense.'],
    ['roberta-masked-lm', 'lm_head.'],
  ])('%s without its pooler gives hidden states alone', async (name, left) => {
    const roberta = name.startsWith('roberta');
    const folder = changed(
      name,
      (tensors) => {
        for (const key of [...tensors.keys()]) if (key.startsWith(left)) tensors.delete(key);
      },
      roberta ? { architectures: ['RobertaModel'] } : {},
    );
    const [body, whole] = [await loadModel(folder), await loadModel(golden(name))];
    expect(Object.keys((body.network as EncoderModel).forward(ids))).toEqual(['hidden']);
    const [a, b] = [body, whole].map(({ network }) => (network as EncoderModel).encode(ids));
    expect(await a!.data()).toEqual(await b!.data());
    for (const { params } of [body, whole]) params.dispose();
  });
});
