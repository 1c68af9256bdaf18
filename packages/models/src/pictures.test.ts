import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { clipTower, createModel, encoderModel } from './index.js';

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
    /pictures take none, embedding or sequence-classification/,
  );
  expect(own({ head: { kind: 'embedding', of: 'highest-id' } })).toThrow(
    /'head.of' is "highest-id"; pictures have no ids: expected "first"/,
  );
});

const tower = {
  ...{ hidden_size: 12, num_attention_heads: 2, num_hidden_layers: 1 },
  ...{ intermediate_size: 8, projection_dim: 5 },
} as const;
const words = {
  ...{ ...tower, model_type: 'clip_text_model', vocab_size: 9, max_position_embeddings: 7 },
} as const;

test("a text's vector is of its first token that ends it, or of its first with the highest id", async () => {
  // Of the ends and of the highest ids the first counts; a text without an end has its first token.
  const rows = [
    [3, 7, 8, 7, 8],
    [7, 5, 7, 0, 1],
    [4, 5, 4, 5, 2],
  ];
  const ids = tf.tensor2d(rows, [3, 5], 'int32');
  for (const [end, places] of [
    [7, [1, 0, 0]],
    [2, [2, 0, 1]],
  ] as const) {
    const { network, params } = encoderModel(createModel({ ...words, eos_token_id: end }));
    const { hidden, pooled } = network.forward(ids);
    const states = (await hidden!.array()) as number[][][];
    expect(await pooled!.array()).toEqual(places.map((at, row) => states[row]![at]));
    tf.dispose([hidden!, pooled!]);
    params.dispose();
  }
  ids.dispose();
});

test("the settings of CLIP's towers that are not built are refused by name", () => {
  const text = (more: object) => () => createModel({ ...words, eos_token_id: 7, ...more });
  expect(text({ eos_token_id: 9 })).toThrow(
    /'eos_token_id' is 9; expected an id below 'vocab_size' 9/,
  );
  expect(text({ eos_token_id: [7, 8] })).toThrow(/'eos_token_id' is \[7,8\]/);
  expect(text({ initializer_factor: 2 })).toThrow(/'initializer_factor' is 2/);
  const projected = { architectures: ['CLIPTextModelWithProjection'], projection_dim: null };
  expect(text(projected)).toThrow(/'projection_dim' is null; CLIPTextModelWithProjection has/);
  const vision = (more: object) => () =>
    createModel({ ...tower, model_type: 'clip_vision_model', image_size: 9, ...more } as never);
  expect(vision({ patch_size: 4 })).toThrow("'image_size' 9 is not divisible by 'patch_size' 4");
  expect(vision({ patch_size: 3, image_size: [9, 6] })).toThrow(/'image_size' is \[9,6\]/);
});

test("a tower's settings are read from those of both, and refused where they are missing", () => {
  const both = {
    ...{ model_type: 'clip', architectures: ['CLIPModel'], projection_dim: 3 },
    ...{ text_config: { hidden_size: 10, projection_dim: 4 }, text_config_dict: null },
    ...{ vision_config: { hidden_size: 15 }, vision_config_dict: { hidden_size: 20 } },
  };
  expect(clipTower('text')(both)).toEqual({
    ...{ model_type: 'clip_text_model', architectures: ['CLIPTextModelWithProjection'] },
    ...{ hidden_size: 10, projection_dim: 3 },
  });
  expect(clipTower('vision')({ ...both, projection_dim: null })).toEqual({
    ...{ model_type: 'clip_vision_model', architectures: ['CLIPVisionModelWithProjection'] },
    ...{ hidden_size: 20, projection_dim: 512 },
  });
  expect(() => clipTower('text')({ ...both, text_config: 5 })).toThrow(
    "clipTower: 'text_config' is 5; expected the settings of 'clip_text_model'",
  );
  expect(() => createModel(both)).toThrow(
    `config.json: 'model_type' is "clip", which holds two models; read each by itself: loadModel(folder, { configure: clipTower('vision') }), or 'text'`,
  );
  expect(() => clipTower('text')(words)).toThrow(
    `clipTower: 'model_type' is "clip_text_model"; expected "clip"`,
  );
});
