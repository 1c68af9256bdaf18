import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { createModel, encoderModel } from './index.js';

const vit = {
  ...{ model_type: 'vit', hidden_size: 12, num_attention_heads: 2, num_hidden_layers: 1 },
  ...{ intermediate_size: 8, image_size: [4, 6], patch_size: 2 },
} as const;

test('pictures go in with their channels last, and nothing else does', () => {
  const { network, params } = encoderModel(createModel(vit));
  try {
    expect(network.pictures).toEqual({ height: 4, width: 6, channels: 3 });
    const { hidden, pooled } = network.forward(tf.ones([2, 4, 6, 3]));
    expect([hidden!.shape, pooled!.shape]).toEqual([
      [2, 7, 12],
      [2, 12],
    ]);
    tf.dispose([hidden!, pooled!]);
    const refused = (pictures: tf.Tensor) => () => network.forward(pictures);
    expect(refused(tf.ones([2, 3, 4, 6]))).toThrow(
      'pictures has shape [2, 3, 4, 6]; expected [B, 4, 6, 3]',
    );
    expect(refused(tf.zeros([2, 5], 'int32'))).toThrow('expected [B, 4, 6, 3]');
    expect(refused(tf.ones([2, 4, 6, 3], 'int32'))).toThrow('pictures have type int32');
  } finally {
    params.dispose();
  }
});

test('sizes and parts that do not go with pictures are refused by name', () => {
  const refused = (more: object) => () => createModel({ ...vit, ...more });
  expect(refused({ patch_size: [2, 4] })).toThrow(
    "'image_size' 6 is not divisible by 'patch_size' 4",
  );
  expect(refused({ pooler_output_size: 5 })).toThrow(
    "'pooler_output_size' is 5; expected 'hidden_size' 12",
  );
  expect(refused({ pooler_act: 'relu' })).toThrow(/'pooler_act' is "relu"/);
  const own = (more: object) => () =>
    createModel({
      ...{
        model_type: 'headwise',
        topology: 'encoder',
        vocabSize: 0,
        maxLength: null,
        dim: 12,
        layers: 1,
      },
      ...{
        position: { kind: 'none' },
        heads: { count: 2 },
        norm: { kind: 'layer' },
        block: 'pre-norm',
      },
      ...{ feedForward: { kind: 'plain' }, head: { kind: 'none' } },
      embedding: { patches: { height: 4, width: 6, size: [2, 2], channels: 3 } },
      ...more,
    } as never);
  expect(own({ vocabSize: 7 })).toThrow(/'vocabSize' is 7 and 'embedding.patches' is there/);
  expect(own({ embedding: {} })).toThrow(/'vocabSize' is 0 and 'embedding.patches' is missing/);
  expect(own({ position: { kind: 'alibi' } })).toThrow(
    /'position.kind' is "alibi"; patches have places/,
  );
  expect(own({ head: { kind: 'question-answering' } })).toThrow(
    /pictures take none or sequence-classification/,
  );
});
