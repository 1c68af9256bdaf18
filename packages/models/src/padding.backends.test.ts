import { KeyValueCache } from '@headwise/decoding';
import { cases, describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { createModel, encoderDecoderModel, encoderModel, languageModel } from './model.js';

const bert = {
  vocab_size: 23,
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 14,
  max_position_embeddings: 16,
  initializer_range: 0.4,
};
const decoders: Record<string, Record<string, unknown>> = {
  'gpt2, learned': {
    model_type: 'gpt2',
    vocab_size: 23,
    n_positions: 16,
    n_embd: 12,
    n_layer: 2,
    n_head: 3,
    initializer_range: 0.4,
  },
  'llama, rotary': { model_type: 'llama', ...bert, num_key_value_heads: 1 },
  'bloom, ALiBi': {
    model_type: 'bloom',
    vocab_size: 23,
    hidden_size: 12,
    n_layer: 2,
    n_head: 3,
    initializer_range: 0.4,
  },
};

const long = [3, 9, 4, 1, 7];
const short = [5, 8, 2];
const int = (rows: number[][]) => tf.tensor2d(rows, [rows.length, rows[0]!.length], 'int32');

/** The second sequence is padded on the left; 0 is an id like any other. */
const batch = () => ({
  ids: int([long, [0, 0, ...short]]),
  attentionMask: int([
    [1, 1, 1, 1, 1],
    [0, 0, 1, 1, 1],
  ]),
});

const rowsOf = (x: tf.Tensor, row: number, from: number, count: number) =>
  x.slice([row, from, 0], [1, count, x.shape[2]!]);

describeBackends('padding', (backend) => {
  const few = (name: string) => backend !== 'webgpu' || !name.startsWith('llama');
  for (const [name, config] of cases(Object.entries(decoders), ([name]) => few(name))) {
    test(`${name}: a batch gives what each sequence gives alone`, async () => {
      const { network, params } = languageModel(createModel(config, { seed: 3 }));
      const { ids, attentionMask } = batch();
      const together = network.forward(ids, { attentionMask });
      await expectClose(rowsOf(together, 0, 0, 5), network.forward(int([long])));
      await expectClose(rowsOf(together, 1, 2, 3), network.forward(int([short])), { ratio: 2e-5 });
      params.dispose();
    });

    test(`${name}: so do its next tokens, one at a time, from a cache`, async () => {
      const { network, params } = languageModel(createModel(config, { seed: 3 }));
      const { ids, attentionMask } = batch();
      const cache = new KeyValueCache();
      network.forward(ids, { attentionMask, cache });
      const written = [
        [6, 11],
        [13, 2],
      ];
      for (let n = 0; n < 2; n++) {
        const ones = tf.ones<tf.Rank.R2>([2, n + 1], 'int32');
        const mask = tf.concat([attentionMask, ones], 1);
        const next = int(written.map((row) => [row[n]!]));
        const logits = network.forward(next, { attentionMask: mask, cache });
        for (const [row, start] of [long, short].entries()) {
          const whole = [...start, ...written[row]!.slice(0, n + 1)];
          const alone = rowsOf(network.forward(int([whole])), 0, whole.length - 1, 1);
          await expectClose(rowsOf(logits, row, 0, 1), alone, { ratio: 2e-5 });
        }
      }
      cache.dispose();
      params.dispose();
    });
  }

  test('a mask that was computed gives what one from numbers does', async () => {
    for (const name of ['gpt2, learned', 'llama, rotary']) {
      const { network, params } = languageModel(createModel(decoders[name]!, { seed: 3 }));
      const { ids, attentionMask } = batch();
      const zeros = tf.fill([2048], 0).slice(0, 10).reshape([2, 5]);
      const computed = tf.tidy(() => attentionMask.add(zeros).toInt());
      const expected = await network.forward(ids, { attentionMask }).data();
      await expectClose(network.forward(ids, { attentionMask: computed }), [...expected]);
      params.dispose();
    }
  });

  test('a decoder of learned positions may be longer than its context by its padding', async () => {
    const config = { ...decoders['gpt2, learned']!, n_positions: 5 };
    const { network, params } = languageModel(createModel(config, { seed: 3 }));
    const attentionMask = int([[0, 0, 0, 1, 1, 1]]);
    const logits = network.forward(int([[0, 0, 0, ...short]]), { attentionMask });
    await expectClose(rowsOf(logits, 0, 3, 3), network.forward(int([short])), { ratio: 2e-5 });
    params.dispose();
  });

  const encoders: Record<string, Record<string, unknown>> = {
    'bert, learned': { model_type: 'bert', ...bert },
    'roberta, counted from its padding': { model_type: 'roberta', ...bert, pad_token_id: 1 },
  };
  for (const [name, config] of Object.entries(encoders)) {
    test(`${name}: a batch with positions gives what each sequence gives alone`, async () => {
      const { network, params } = encoderModel(createModel(config, { seed: 3 }));
      const { ids, attentionMask } = batch();
      const positions = int([
        [0, 1, 2, 3, 4],
        [0, 0, 0, 1, 2],
      ]);
      const together = network.encode(ids, { attentionMask, positions });
      // The id 1 is RoBERTa's padding.
      const plain = name.startsWith('bert') ? long : [];
      if (plain.length > 0) {
        await expectClose(rowsOf(together, 0, 0, 5), network.encode(int([plain])));
      }
      await expectClose(rowsOf(together, 1, 2, 3), network.encode(int([short])), { ratio: 2e-5 });
      params.dispose();
    });
  }

  for (const [name, config] of Object.entries(decoders)) {
    test(`${name}: positions that are given have an effect, or are refused`, async () => {
      const { network, params } = languageModel(createModel(config, { seed: 3 }));
      const positions = int([[2, 4, 6, 8, 10]]);
      const run = () => network.forward(int([long]), { positions });
      if (name.startsWith('bloom')) {
        expect(run).toThrow('alibi: encodes distances of places');
      } else {
        const [given, plain] = [await run().data(), await network.forward(int([long])).data()];
        expect(Math.max(...given.map((x, i) => Math.abs(x - plain[i]!)))).toBeGreaterThan(1e-3);
        const places = int([[0, 1, 2, 3, 4]]);
        await expectClose(network.forward(int([long]), { positions: places }), [...plain]);
        expect(() => network.forward(int([long]), { positions: int([[0, 1]]) })).toThrow(
          'positions has shape [1, 2]; expected [1, 5]',
        );
        expect(() => network.forward(int([long]), { positions: int([[0, 1, 2, -1, 4]]) })).toThrow(
          'position -1 at position [0, 3] is outside',
        );
      }
      params.dispose();
    });
  }

  for (const padding of [undefined, 22]) {
    const name = padding === undefined ? 'without an id of padding' : 'with another id of padding';
    test(`gpt2, a class, ${name}: a padded batch gives what each sequence gives alone`, async () => {
      const { network, params } = encoderModel(
        createModel(
          {
            ...decoders['gpt2, learned']!,
            architectures: ['GPT2ForSequenceClassification'],
            id2label: { 0: 'low', 1: 'middle', 2: 'high' },
            pad_token_id: padding,
          },
          { seed: 3 },
        ),
      );
      const [whole, part] = [long, short].map((row) => network.forward(int([row])).logits!);
      const expected = tf.concat([whole!, part!, part!]);
      const ids = int([long, [0, 0, ...short], [...short, 0, 0]]);
      const attentionMask = int([
        [1, 1, 1, 1, 1],
        [0, 0, 1, 1, 1],
        [1, 1, 1, 0, 0],
      ]);
      const positions = int([
        [0, 1, 2, 3, 4],
        [0, 0, 0, 1, 2],
        [0, 1, 2, 3, 4],
      ]);
      const { logits } = network.forward(ids, { attentionMask, positions });
      await expectClose(logits!, expected, { ratio: 2e-5 });
      params.dispose();
    });
  }

  test('positions beyond the context are named, in every table of positions', () => {
    const positions = int([[0, 1, 2, 3, 16]]);
    const refused = "position 16 at position [0, 4] is outside the model's maxLength of 16";
    const gpt2 = languageModel(createModel(decoders['gpt2, learned']!));
    expect(() => gpt2.network.forward(int([long]), { positions })).toThrow(refused);
    const encoder = encoderModel(createModel({ model_type: 'bert', ...bert }));
    expect(() => encoder.network.encode(int([long]), { positions })).toThrow(refused);
    const bart = encoderDecoderModel(
      createModel({
        model_type: 'bart',
        vocab_size: 23,
        d_model: 12,
        encoder_layers: 1,
        decoder_layers: 1,
        encoder_attention_heads: 3,
        decoder_attention_heads: 3,
        encoder_ffn_dim: 7,
        decoder_ffn_dim: 7,
        max_position_embeddings: 16,
      }),
    );
    expect(() => bart.network.encode(int([long]), { positions })).toThrow(refused);
  });
});
