import { readFileSync } from 'node:fs';
import type { EncoderModel } from '@headwise/core';
import { loadModel } from '@headwise/models';
import { folderFiles } from '@headwise/models/node';
import { readSafetensors, toFloat32, writeSafetensors } from '@headwise/safetensors';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { accumulateGradients } from '../gradients.js';
import {
  type ExampleBatch,
  evaluate,
  type MaskedPairBatch,
  type Objective,
  sentencePairPretraining,
} from '../index.js';
import { rowsOf } from './rows.cases.js';

const folder = new URL('../../../parity/goldens/bert-pretraining', import.meta.url).pathname;
const golden = readSafetensors(
  readFileSync(new URL('../goldens/accumulated-pairs.safetensors', import.meta.url)),
);
const ints = (key: string) => Int32Array.from(golden.get(`inputs.${key}`).data as Int32Array);
const whole: MaskedPairBatch = {
  inputs: ints('input_ids'),
  mask: ints('attention_mask'),
  tokenTypes: ints('token_type_ids'),
  targets: ints('labels'),
  labels: ints('next_sentence_label'),
  shape: golden.get('inputs.input_ids').shape as [number, number],
};
const expected = toFloat32(golden.get('loss'))[0]!;

/** The gradients of PyTorch, as the weights of the same model. */
async function expectedGradients() {
  const prefix = 'gradients.';
  const tensors = [...golden.tensors.keys()]
    .filter((name) => name.startsWith(prefix))
    .map((name) => {
      const tensor = golden.get(name);
      return [name.slice(prefix.length), { shape: tensor.shape, data: toFloat32(tensor) }] as const;
    });
  return loadModel([
    new File([writeSafetensors(Object.fromEntries(tensors)).slice()], 'model.safetensors'),
    new File([readFileSync(`${folder}/config.json`, 'utf8')], 'config.json'),
  ]);
}

describe('rows with unequal numbers of masked tokens', () => {
  test('in parts of a row each make the loss and the gradients of BertForPreTraining over all', async () => {
    const { network, params } = await loadModel(folderFiles(folder));
    const objective = sentencePairPretraining(network as EncoderModel);
    const wanted = await expectedGradients();
    const parts = rowsOf(whole);
    expect(parts).toHaveLength(8);
    const { numTensors } = tf.memory();
    for (const batches of [[whole], parts]) {
      const made = accumulateGradients('test', params.named(), objective, batches, {});
      expect(made.predicted).toBe(24);
      // A row without masked tokens has a pair.
      expect(made.batches).toHaveLength(batches.length);
      const sum = tf.addN(made.losses);
      await expectClose(sum, [expected], { ratio: 1e-5 });
      for (const [path, gradient] of Object.entries(made.gradients)) {
        // The gradient of a bias of keys is 0 but for roundings.
        if (/kProj\.bias$/.test(path)) continue;
        await expectClose(gradient, wanted.params.named()[path]!, {
          ratio: 1e-5,
          floor: 1e-7,
        }).catch((error: Error) => {
          throw new Error(`${path}: ${error.message}`);
        });
      }
      tf.dispose([sum, made.losses, made.gradients]);
    }
    for (const batches of [[whole], parts]) {
      const measured = await evaluate(objective, batches);
      expect(Math.abs(measured.loss / expected - 1)).toBeLessThan(1e-5);
      expect(measured.predicted).toBe(24);
    }
    expect(tf.memory().numTensors).toBe(numTensors);
    params.dispose();
    wanted.params.dispose();
  });
});

test('a loss with another number of terms than of counts is refused', async () => {
  const weight = tf.variable(tf.scalar(2));
  const objective: Objective<ExampleBatch> = {
    name: 'two things',
    predicted: () => 1,
    loss: () => weight.square() as tf.Scalar,
    terms: { counts: () => [1, 1], means: () => [weight.square() as tf.Scalar] },
  };
  const batch: ExampleBatch = { shape: [1] };
  const refused = 'two things: the loss has 1 terms and 2 counts; expected one for each term';
  const { numTensors } = tf.memory();
  expect(() => accumulateGradients('test', { weight }, objective, [batch], {})).toThrow(refused);
  await expect(evaluate(objective, [batch])).rejects.toThrow(refused);
  expect(tf.memory().numTensors).toBe(numTensors);
  weight.dispose();
});
