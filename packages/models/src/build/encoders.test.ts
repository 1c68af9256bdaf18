import { ParamStore } from '@headwise/core';
import { positionsAfterPadding } from '@headwise/positions';
import { expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { bert } from '../families/bert.js';
import { roberta } from '../families/roberta.js';
import { createModel, encoderDecoderModel, encoderModel } from '../model.js';
import { meanPooled, Pooler, sentenceEmbeddings } from './heads.js';

const sizes = {
  vocab_size: 11,
  hidden_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 3,
  intermediate_size: 7,
  max_position_embeddings: 8,
};
const ids = tf.tensor2d([5, 7, 2, 9], [1, 4], 'int32');

const encoder = (settings: Record<string, unknown>) =>
  encoderModel(createModel({ ...sizes, ...settings }, { seed: 1 }));

describe('configurations', () => {
  test("without sizes are Hugging Face's defaults", () => {
    expect(bert.parseConfig({})).toMatchObject({
      architectures: ['BertModel'],
      vocab_size: 30522,
      hidden_size: 768,
      intermediate_size: 3072,
      hidden_act: 'gelu',
      max_position_embeddings: 512,
      type_vocab_size: 2,
      layer_norm_eps: 1e-12,
      pad_token_id: 0,
    });
    expect(roberta.parseConfig({})).toMatchObject({ vocab_size: 50265, pad_token_id: 1 });
  });

  const refused: [string, Record<string, unknown>, RegExp][] = [
    ['a head', { architectures: ['BertForMultipleChoice'] }, /'architectures\.0' is "BertForMult/],
    ['an activation', { hidden_act: 'prelu' }, /'hidden_act' is "prelu"/],
    ['a decoder', { is_decoder: true }, /'is_decoder' is true/],
    [
      'relative positions',
      { position_embedding_type: 'relative_key' },
      /'position_embedding_type'/,
    ],
    ['a head width', { num_attention_heads: 5 }, /'hidden_size' 6 is not divisible by .* 5/],
    ['names of classes', { id2label: { first: 'A' } }, /'id2label\.first'/],
  ];
  for (const [what, change, message] of refused) {
    test(`${what} that is not built is refused by name`, () => {
      expect(() => createModel({ model_type: 'bert', ...sizes, ...change })).toThrow(message);
    });
  }
});

describe('an encoder', () => {
  const architectures = {
    bert: [
      ['BertModel', { hidden: [1, 4, 6], pooled: [1, 6] }],
      ['BertForMaskedLM', { logits: [1, 4, 11] }],
      ['BertForPreTraining', { tokenLogits: [1, 4, 11], nextSentenceLogits: [1, 2] }],
      ['BertForNextSentencePrediction', { logits: [1, 2] }],
      ['BertForSequenceClassification', { logits: [1, 3] }],
      ['BertForTokenClassification', { logits: [1, 4, 3] }],
      ['BertForQuestionAnswering', { startLogits: [1, 4], endLogits: [1, 4] }],
    ],
    roberta: [
      ['RobertaModel', { hidden: [1, 4, 6], pooled: [1, 6] }],
      ['RobertaForTokenClassification', { logits: [1, 4, 3] }],
      ['RobertaForQuestionAnswering', { startLogits: [1, 4], endLogits: [1, 4] }],
    ],
  } as const;
  for (const [model_type, heads] of Object.entries(architectures)) {
    for (const [architecture, shapes] of heads) {
      test(`${architecture} names its outputs, and every parameter learns`, async () => {
        const { network, params } = encoder({
          model_type,
          architectures: [architecture],
          hidden_dropout_prob: 0,
          attention_probs_dropout_prob: 0,
          initializer_range: 0.5,
          id2label: { 0: 'A', 1: 'B', 2: 'C' },
        });
        const outputs = network.forward(ids);
        const found = Object.entries(outputs).map(([name, { shape }]) => [name, shape]);
        expect(Object.fromEntries(found)).toEqual(shapes);
        const named = Object.entries(params.named());
        const { grads } = tf.variableGrads(
          () => {
            const parts = Object.values(network.forward(ids)).map((output, i) =>
              output.mul(gaussian(output.shape, i)).sum(),
            );
            return tf.addN(parts) as tf.Scalar;
          },
          named.map(([, variable]) => variable),
        );
        for (const [path, variable] of named) {
          const size = (await grads[variable.name]!.abs().sum().data())[0];
          // A bias of all keys shifts every score of a query alike.
          if (path.endsWith('kProj.bias')) expect(size, path).toBeCloseTo(0, 4);
          else expect(size, path).toBeGreaterThan(0);
        }
        params.dispose();
      });
    }
  }

  test('refuses longer sequences than it has positions for, and token types of another shape', () => {
    const { network, params } = encoder({ model_type: 'bert' });
    const long = tf.ones([1, 9], 'int32');
    expect(() => network.forward(long)).toThrow("than the model's maxLength of 8");
    expect(() => network.forward(ids, { tokenTypes: tf.zeros([1, 3], 'int32') })).toThrow(
      'tokenTypes has shape [1, 3]; expected [1, 4]',
    );
    const other = encoder({ model_type: 'roberta' });
    // Positions begin after the padding's, 1.
    expect(other.network.maxLength).toBe(6);
    expect(() => other.network.encode(tf.ones([1, 7], 'int32'))).toThrow('maxLength of 6');
    params.dispose();
    other.params.dispose();
  });

  test('is told from models of other kinds', () => {
    const { params, ...model } = encoder({ model_type: 'bert' });
    expect(() => encoderDecoderModel({ params, ...model })).toThrow(
      "'bert' is not an encoder-decoder",
    );
    const gpt = createModel({ model_type: 'gpt2', n_layer: 1, n_embd: 12, vocab_size: 5 });
    expect(() => encoderModel(gpt)).toThrow("'gpt2' is not an encoder");
    params.dispose();
    gpt.params.dispose();
  });

  test('drops in training only, and says the same for the same seed', async () => {
    const { network, params } = encoder({ model_type: 'bert' });
    const random = { nextUint32: () => 7 } as never;
    const dropped = [1, 2].map(() => network.encode(ids, { training: true, random }));
    await expectClose(dropped[0]!, dropped[1]!);
    await expect(expectClose(dropped[0]!, network.encode(ids))).rejects.toThrow('differ');
    params.dispose();
  });
});

describe('heads', () => {
  test('positions after padding are counted over tokens, and padding has its own id', async () => {
    const padded = tf.tensor2d([1, 1, 5, 7, 5, 7, 9, 1], [2, 4], 'int32');
    const positions = positionsAfterPadding(padded, 1);
    expect(positions.dtype).toBe('int32');
    expect([...(await positions.data())]).toEqual([1, 1, 2, 3, 2, 3, 4, 1]);
  });

  test('means are over tokens; of padding alone, zero', async () => {
    const hidden = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 3, 2]);
    const mask = tf.tensor2d([0, 1, 1, 0, 0, 0], [2, 3], 'int32');
    await expectClose(meanPooled(hidden, mask), [4, 5, 0, 0]);
    await expectClose(meanPooled(hidden), [3, 4, 9, 10]);
  });

  test('a pooler is tanh of a map of the first token', async () => {
    const params = new ParamStore({ seed: 1 });
    const pooler = new Pooler(params, { dim: 3 });
    const weight = (await params.named().weight!.array()) as number[][];
    const expected = weight.map((row) => Math.tanh(row[0]! + 2 * row[1]! - row[2]!));
    const hidden = tf.tensor3d([1, 2, -1, 9, 9, 9], [1, 2, 3]);
    await expectClose(pooler.forward(hidden), expected);
    params.dispose();
  });

  test('sentence embeddings have length 1, and padding does not matter', async () => {
    const { network, params } = encoder({ model_type: 'bert', initializer_range: 0.5 });
    const padded = tf.tensor2d([5, 7, 2, 9, 0, 0], [1, 6], 'int32');
    const attentionMask = tf.tensor2d([1, 1, 1, 1, 0, 0], [1, 6], 'int32');
    const vector = sentenceEmbeddings(network, padded, { attentionMask });
    await expectClose(vector, sentenceEmbeddings(network, ids), { ratio: 1e-5 });
    await expectClose(vector.square().sum(), [1]);
    params.dispose();
  });
});

test('scores of some positions are those of all, beside what else the head gives; other heads have none', async () => {
  const positions = tf.tensor1d([3, 0, 3], 'int32');
  for (const [architecture, name] of [
    ['BertForMaskedLM', 'logits'],
    ['BertForPreTraining', 'tokenLogits'],
  ] as const) {
    const { network, params } = encoder({ model_type: 'bert', architectures: [architecture] });
    const { [name]: scores, ...others } = network.forward(ids);
    const { [name]: some, ...same } = network.forwardAt!(ids, positions);
    const rows = scores!.reshape<tf.Tensor2D>([4, 11]);
    await expectClose(some!, tf.gather(rows, positions));
    expect(Object.keys(same)).toEqual(Object.keys(others));
    for (const [key, value] of Object.entries(others)) await expectClose(same[key]!, value);
    params.dispose();
  }
  const classifier = encoder({
    model_type: 'bert',
    architectures: ['BertForSequenceClassification'],
  });
  expect(classifier.network.forwardAt).toBeUndefined();
  classifier.params.dispose();
});
