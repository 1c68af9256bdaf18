import { isEncoder, isEncoderDecoder, type Network } from '@headwise/core';
import {
  createModel,
  encoderDecoderModel,
  encoderModel,
  languageModel,
  type Model,
} from '@headwise/models';
import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  AdamW,
  causalLanguageModel,
  constantRate,
  encoderDecoderLoss,
  evaluate,
  languageModelLoss,
  meanCrossEntropy,
  train,
} from '../index.js';

const bert = {
  vocab_size: 11,
  hidden_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 3,
  intermediate_size: 7,
  max_position_embeddings: 8,
};
const llama = { ...bert, num_key_value_heads: 1 };
const bart = {
  vocab_size: 11,
  d_model: 6,
  encoder_layers: 1,
  decoder_layers: 1,
  encoder_attention_heads: 3,
  decoder_attention_heads: 3,
  encoder_ffn_dim: 7,
  decoder_ffn_dim: 7,
  max_position_embeddings: 8,
  pad_token_id: 1,
  decoder_start_token_id: 2,
};
const gpt2 = {
  model_type: 'gpt2',
  vocab_size: 11,
  n_positions: 8,
  n_embd: 6,
  n_layer: 1,
  n_head: 3,
};

const models: Record<string, unknown>[] = [
  gpt2,
  { ...gpt2, architectures: ['GPT2ForSequenceClassification'], pad_token_id: 0 },
  { model_type: 'bert', ...bert },
  { model_type: 'roberta', ...bert, pad_token_id: 1 },
  { model_type: 'llama', ...llama },
  { model_type: 'bloom', vocab_size: 11, hidden_size: 6, n_layer: 1, n_head: 3 },
  { model_type: 'bart', ...bart },
  { model_type: 'marian', ...bart, d_model: 12 },
  {
    model_type: 't5',
    vocab_size: 11,
    d_model: 6,
    d_kv: 4,
    d_ff: 8,
    num_layers: 1,
    num_heads: 2,
  },
  {
    model_type: 'transfo-xl',
    vocab_size: 11,
    d_model: 8,
    d_embed: 8,
    n_head: 2,
    d_head: 4,
    d_inner: 8,
    n_layer: 1,
    mem_len: 4,
    cutoffs: [5],
    div_val: 2,
  },
];

const rows = (...ids: number[]) => tf.tensor2d(ids, [2, ids.length / 2], 'int32');

/** Every way in which ids go into a model. */
function entries(network: Network): ((ids: tf.Tensor) => unknown)[] {
  if (isEncoderDecoder(network)) {
    const encoded = network.encode(rows(3, 4, 5, 6));
    return [(ids) => network.encode(ids), (ids) => network.decode(ids, encoded)];
  }
  if (isEncoder(network)) return [(ids) => network.encode(ids), (ids) => network.forward(ids)];
  return [(ids) => network.forward(ids)];
}

describeBackends('ids outside the vocabulary', () => {
  for (const config of models) {
    const kind = (config.architectures as string[] | undefined)?.[0] ?? config.model_type;
    test(`${kind}: are refused before anything is computed`, () => {
      const { network, params }: Model = createModel(config, { seed: 1 });
      for (const into of entries(network)) {
        const before = tf.memory().numTensors;
        for (const bad of [11, -1, 2 ** 31 - 1]) {
          const ids = rows(3, 4, 5, 6, bad, 11);
          const refused = `id ${bad} at position [1, 1] is outside the vocabulary of 11 tokens`;
          expect(() => into(ids)).toThrow(refused);
          expect(() => into(ids), 'once more').toThrow(refused);
          ids.dispose();
        }
        expect(tf.memory().numTensors).toBe(before);
      }
      params.dispose();
    });
  }

  test('token types out of range are named', () => {
    const { network, params } = encoderModel(createModel({ model_type: 'bert', ...bert }));
    expect(() => network.encode(rows(3, 4, 5, 6), { tokenTypes: rows(0, 1, 0, 2) })).toThrow(
      'token type 2 at position [1, 1] is outside the 2 token types',
    );
    params.dispose();
  });

  test('targets and labels are refused by every loss, and by training and evaluation', async () => {
    const { network, params } = languageModel(createModel(gpt2, { seed: 1 }));
    const of = (inputs: number[], targets: number[]) => ({
      inputs: Int32Array.from(inputs),
      targets: Int32Array.from(targets),
      shape: [2, 2] as const,
    });
    const named = params.named();
    const optimizer = new AdamW(named);
    const objective = causalLanguageModel(network);
    for (const bad of [11, -1, -99]) {
      const refused = `target ${bad} at position [1, 0] is outside the vocabulary of 11 tokens`;
      const batch = of([1, 2, 3, 4], [2, -100, bad, 5]);
      expect(() => languageModelLoss(network, batch)).toThrow(refused);
      await expect(evaluate(objective, [batch])).rejects.toThrow(refused);
      const run = train({
        objective,
        params: named,
        optimizer,
        schedule: constantRate(0.1),
        batches: { at: () => batch },
        steps: 1,
      });
      await expect(run.next()).rejects.toThrow(refused);
      expect(() => languageModelLoss(network, of([1, 2, bad, 4], [2, 3, 4, 5]))).toThrow(
        `id ${bad} at position [1, 0] is outside the vocabulary of 11 tokens`,
      );
      const labels = rows(0, -100, bad, 1);
      expect(() => meanCrossEntropy(tf.zeros([2, 2, 11]), labels)).toThrow(
        `label ${bad} at position [1, 0] is outside the 11 classes of the logits`,
      );
    }
    optimizer.dispose();
    params.dispose();
    const pairs = encoderDecoderModel(createModel({ model_type: 'bart', ...bart }, { seed: 1 }));
    const loss = (sources: number[], targets: number[]) =>
      encoderDecoderLoss(pairs.network, {
        sources: Int32Array.from(sources),
        targets: Int32Array.from(targets),
        shape: [2, 2, 2],
      });
    expect(() => loss([3, 4, 5, 11], [3, 4, 5, 6])).toThrow('id 11 at position [1, 1] is outside');
    expect(() => loss([3, 4, 5, 6], [3, 11, 5, -100])).toThrow(
      'target 11 at position [0, 1] is outside the vocabulary of 11 tokens',
    );
    pairs.params.dispose();
  });
});
