import { readFileSync } from 'node:fs';
import { KeyValueCache } from '@headwise/decoding';
import { createModel, encoderDecoderModel } from '@headwise/models';
import { loadModel } from '@headwise/models/node';
import { readSafetensors, toFloat32 } from '@headwise/safetensors';
import { describeBackends, expectClose, fullOnly } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { AdamW, clipping, encoderDecoderLoss, lossAndGradients } from '../index.js';

const folder = (name: string) =>
  new URL(`../../../parity/goldens/${name}/`, import.meta.url).pathname;

const load = async (name: string) => encoderDecoderModel(await loadModel(folder(name)));

/** What transformers was given for a golden, and the loss that it computed. */
function readInputs(name: string) {
  const path = `${folder(name)}expected.safetensors`;
  const file = readSafetensors(readFileSync(path));
  const of = (key: string) => file.get(`inputs.${key}`);
  return {
    sources: of('input_ids').data as Int32Array,
    sourceMask: of('attention_mask').data as Int32Array,
    targets: of('labels').data as Int32Array,
    shape: [...of('input_ids').shape, of('labels').shape[1]!] as [number, number, number],
    loss: toFloat32(file.get('loss'))[0]!,
  };
}

describeBackends('encoder-decoders', (backend) => {
  test("captions: the loss of pictures and words is transformers'", async () => {
    const name = 'vision-encoder-decoder';
    const { network, params } = await load(name);
    const file = readSafetensors(readFileSync(`${folder(name)}expected.safetensors`));
    const pixels = file.get('inputs.pixel_values');
    const labels = file.get('inputs.labels');
    const channelsFirst = tf.tensor(toFloat32(pixels), [...pixels.shape]);
    const sources = (await channelsFirst.transpose([0, 2, 3, 1]).data()) as Float32Array;
    const batch = {
      ...{ sources, sourceShape: [6, 9, 3], targets: labels.data as Int32Array },
      shape: [3, 162, labels.shape[1]!] as const,
    };
    const loss = encoderDecoderLoss(network, batch);
    await expectClose(loss, [toFloat32(file.get('loss'))[0]!], { ratio: 2e-5 });
    const refused = (change: object) => () => encoderDecoderLoss(network, { ...batch, ...change });
    expect(refused({ sources: new Int32Array(486), sourceShape: undefined })).toThrow(
      'encoderDecoderLoss: sources are ids, which the model does not read; expected Float32Array and sourceShape',
    );
    expect(refused({ sources: new Int32Array(486) })).toThrow('sources are Int32Array with source');
    expect(refused({ sourceShape: undefined })).toThrow('Float32Array without sourceShape');
    expect(refused({ sourceShape: [6, 9, 2] })).toThrow('sourceShape has shape [108]');
    params.dispose();
  });

  for (const [name, labelSmoothing] of [
    ['transformer-2017', 0.1],
    ['marian', 0.1],
    ['marian-two-vocabularies', 0.1],
    ['bart', 0],
    ['t5', 0],
  ] as const) {
    test(`${name}: the loss of pairs is transformers', labels shifted and smoothed`, async () => {
      const { network, params } = await load(name);
      const { loss, ...batch } = readInputs(name);
      await expectClose(encoderDecoderLoss(network, batch, {}, { labelSmoothing }), [loss]);
      params.dispose();
    });

    test(`${name}: one reading of the source serves every step, cached or not`, async () => {
      const { network, params } = await load(name);
      const source = tf.tensor2d([9, 8, 7, 6, 5, 9, 8, 1, 1, 1], [2, 5], 'int32');
      const attentionMask = tf.tensor2d([1, 1, 1, 1, 1, 1, 1, 0, 0, 0], [2, 5], 'int32');
      const encoded = network.encode(source, { attentionMask });
      const ids = tf.tensor2d([2, 11, 12, 13, 14, 2, 21, 22, 23, 24], [2, 5], 'int32');
      const whole = network.decode(ids, encoded);
      const cache = new KeyValueCache();
      const pieces = [
        network.decode(ids.slice([0, 0], [2, 3]), encoded, { cache }),
        network.decode(ids.slice([0, 3], [2, 1]), encoded, { cache }),
        network.decode(ids.slice([0, 4], [2, 1]), encoded, { cache }),
      ];
      await expectClose(tf.concat(pieces, 1), whole, { ratio: 2e-5 });
      // What is padding in the source does not matter.
      const shorter = network.encode(source.slice([1, 0], [1, 2]));
      const second = network.decode(ids.slice([1, 0], [1, 5]), shorter);
      await expectClose(whole.slice([1, 0, 0], [1, -1, -1]), second, { ratio: 2e-5 });
      cache.dispose();
      params.dispose();
    });
  }

  const alsoLearns = backend === 'webgpu' ? fullOnly : test;
  alsoLearns(
    'a small Transformer of 2017 learns to turn sequences round',
    async () => {
      const { network, params } = createModel(
        {
          model_type: 'marian',
          vocab_size: 11,
          d_model: 8,
          encoder_layers: 1,
          decoder_layers: 1,
          encoder_attention_heads: 2,
          decoder_attention_heads: 2,
          encoder_ffn_dim: 16,
          decoder_ffn_dim: 16,
          max_position_embeddings: 8,
          activation_function: 'relu',
          scale_embedding: true,
          position_layout: 'interleaved',
          dropout: 0,
          pad_token_id: 0,
          decoder_start_token_id: 0,
        },
        { seed: 1 },
      );
      const named = params.named();
      const optimizer = new AdamW(named);
      const batch = {
        sources: Int32Array.from([3, 1, 4, 5, 9, 2]),
        targets: Int32Array.from([4, 1, 3, 2, 9, 5]),
        shape: [2, 3, 3] as const,
      };
      const loss = () => encoderDecoderLoss(network, batch, { training: true });
      for (let step = 0; step < 25; step++) {
        const { loss: value, gradients } = lossAndGradients(named, loss);
        const { norm, scale } = clipping(gradients, 1);
        optimizer.update(gradients, 0.05, scale);
        tf.dispose([value, gradients, norm, scale]);
      }
      expect((await loss().data())[0]).toBeLessThan(0.05);
      optimizer.dispose();
      params.dispose();
    },
    30_000,
  );
});

test('encoder-decoders refuse by name what is not built', () => {
  const refused: [string, Record<string, unknown>, RegExp][] = [
    ['bart', { d_model: 10, encoder_attention_heads: 3 }, /'d_model' 10 is not divisible by .* 3/],
    ['bart', { encoder_layerdrop: 0.1 }, /'encoder_layerdrop' is 0\.1/],
    ['bart', { normalize_before: true }, /'normalize_before' is true/],
    ['bart', { architectures: ['BartForSequenceClassification'] }, /'architectures\.0' is/],
    ['marian', { vocab_size: 7, decoder_vocab_size: 5 }, /'decoder_vocab_size' is 5; .* 7/],
    ['marian', { d_model: 15, encoder_attention_heads: 5, decoder_attention_heads: 5 }, /even/],
    ['t5', { feed_forward_proj: 'gated-prelu' }, /'feed_forward_proj' is "gated-prelu"/],
    ['t5', { is_encoder_decoder: false }, /'is_encoder_decoder' is false/],
  ];
  for (const [model_type, change, message] of refused) {
    expect(() => createModel({ model_type, ...change }), String(message)).toThrow(message);
  }
});
