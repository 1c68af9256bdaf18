import { readFileSync } from 'node:fs';
import type { EncoderModel } from '@headwise/core';
import { loadModel } from '@headwise/models/node';
import { readSafetensors, toFloat32 } from '@headwise/safetensors';
import { describeBackends, expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { lossAndGradients, sentencePairPretraining } from '../index.js';

const folder = new URL('../../../parity/goldens/bert-pretraining/', import.meta.url).pathname;

/** What transformers' `BertForPreTraining` was given, and the loss that it computed. */
function readGolden() {
  const file = readSafetensors(readFileSync(`${folder}expected.safetensors`));
  const ints = (key: string) => Int32Array.from(file.get(`inputs.${key}`).data as Int32Array);
  return {
    inputs: ints('input_ids'),
    mask: ints('attention_mask'),
    tokenTypes: ints('token_type_ids'),
    targets: ints('labels'),
    labels: ints('next_sentence_label'),
    shape: file.get('inputs.input_ids').shape as [number, number],
    loss: toFloat32(file.get('loss'))[0]!,
  };
}

describeBackends('sentence-pair pre-training', () => {
  test("the loss is transformers' BertForPreTraining, and reaches every parameter", async () => {
    const { network, params } = await loadModel(folder);
    const { loss, ...batch } = readGolden();
    const objective = sentencePairPretraining(network as EncoderModel);
    const { loss: made, gradients } = lossAndGradients(params.named(), () => objective.loss(batch));
    await expectClose(made, [loss]);
    for (const path of [
      'nextSentence.weight',
      'pooler.weight',
      'head.dense.weight',
      'tokens.weight',
    ]) {
      expect((await gradients[path]!.abs().max().data())[0], path).toBeGreaterThan(0);
    }
    tf.dispose([made, gradients]);
    params.dispose();
  });
});

test('labels that cannot be, and a model without both heads, are refused', async () => {
  const { network, params } = await loadModel(folder);
  const { loss: _, ...batch } = readGolden();
  const objective = sentencePairPretraining(network as EncoderModel);
  expect(() => objective.loss({ ...batch, labels: Int32Array.of(0, 2, 1) })).toThrow(
    'label 2 at position 1 is outside the two labels of pairs',
  );
  expect(() => objective.loss({ ...batch, labels: Int32Array.of(0, 1) })).toThrow(
    'sentence-pair pre-training: labels has shape [2]; expected [3]',
  );
  params.dispose();
  const other = await loadModel(folder.replace('bert-pretraining', 'bert-masked-lm'));
  const masked = sentencePairPretraining(other.network as EncoderModel);
  expect(() => masked.loss(batch)).toThrow(
    "sentence-pair pre-training: the model's head gives logits; expected 'tokenLogits'",
  );
  other.params.dispose();
});
