import { KeyValueCache } from '@headwise/decoding';
import { expectClose, gaussian } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import {
  AdaptedModel,
  createModel,
  encoderDecoderModel,
  encoderModel,
  modelSize,
} from './index.js';

const sizes = {
  ...{
    model_type: 'whisper',
    d_model: 6,
    num_mel_bins: 5,
    max_source_positions: 3,
    vocab_size: 11,
  },
  ...{ encoder_layers: 1, encoder_attention_heads: 3, encoder_ffn_dim: 7, max_target_positions: 9 },
  ...{ decoder_layers: 2, decoder_attention_heads: 2, decoder_ffn_dim: 8, pad_token_id: 1 },
  ...{ decoder_start_token_id: 2 },
} as const;

/** A typed encoder of sounds. */
const encoder = {
  ...{ model_type: 'headwise', topology: 'encoder', vocabSize: 0, maxLength: null, dim: 6 },
  ...{ layers: 1, position: { kind: 'rotary' }, heads: { count: 3 }, norm: { kind: 'rms' } },
  ...{ feedForward: { kind: 'gated', hidden: 5 }, block: 'pre-norm' },
  embedding: { frames: { count: 4, channels: 2 } },
  head: { kind: 'sequence-classification', labels: 3, pooler: { of: 'mean' } },
} as const;

/** A convolution of three frames and GELU, value by value. @param x `[T][In]` @returns `[T / stride][Out]` */
function convolvedByHand(x: number[][], weight: number[][][], bias: number[], stride: number) {
  const gelu = (v: number) =>
    tf.tidy(
      () =>
        tf
          .scalar(v)
          .mul(tf.erf(v / Math.SQRT2).add(1))
          .div(2)
          .dataSync()[0]!,
    );
  return Array.from({ length: x.length / stride }, (_, t) =>
    weight.map((rows, out) => {
      let sum = bias[out]!;
      for (const [channel, taps] of rows.entries()) {
        for (const [k, tap] of taps.entries()) sum += tap * (x[stride * t + k - 1]?.[channel] ?? 0);
      }
      return gelu(sum);
    }),
  );
}

test('the first block reads two convolutions of the frames, and the sines of their places', async () => {
  const { network, params } = encoderDecoderModel(createModel(sizes, { seed: 5 }));
  const named = params.named();
  for (const name of ['conv1', 'conv2']) {
    for (const part of ['weight', 'bias']) {
      const variable = named[`encoder.${name}.${part}`]!;
      variable.assign(gaussian(variable.shape, name.length + part.length));
    }
  }
  expect(network.frames).toEqual({ count: 6, channels: 5 });
  expect(network.sourceVocabSize).toBe(0);
  expect(new AdaptedModel(network)).toMatchObject({ frames: network.frames });
  const sound = gaussian([1, 6, 5], 7);
  let embedded: tf.Tensor | undefined;
  const tap = (path: string, value: tf.Tensor) => {
    if (path === 'encoder.embedded') embedded = tf.keep(value.clone());
  };
  const { states } = network.encode(sound, { tap });
  expect(states.shape).toEqual([1, 3, 6]);
  const of = (path: string) => named[`encoder.${path}`]!.arraySync();
  const [frames] = sound.arraySync() as number[][][];
  const first = convolvedByHand(
    frames!,
    of('conv1.weight') as number[][][],
    of('conv1.bias') as number[],
    1,
  );
  const second = convolvedByHand(
    first,
    of('conv2.weight') as number[][][],
    of('conv2.bias') as number[],
    2,
  );
  const expected = second.map((row, t) =>
    row.map((value, i) => {
      const angle = t / 10_000 ** ((i % 3) / 2);
      return value + (i < 3 ? Math.sin(angle) : Math.cos(angle));
    }),
  );
  await expectClose(embedded!, expected.flat(), { ratio: 1e-5 });
  tf.dispose([states, sound, embedded!]);
  params.dispose();
});

test('an encoder of sounds alone classifies them, every parameter learns, and its size is known before', async () => {
  const { network, params } = encoderModel(createModel(encoder, { seed: 3 }));
  expect(network.frames).toEqual({ count: 4, channels: 2 });
  const sounds = gaussian([2, 4, 2], 1);
  const cotangent = gaussian([2, 3], 2);
  const variables = Object.values(params.named());
  const { value, grads } = tf.variableGrads(
    () => network.forward(sounds).logits!.mul(cotangent).sum(),
    variables,
  );
  for (const [path, { name }] of Object.entries(params.named())) {
    const [change] = await grads[name]!.abs().max().data();
    expect(change, path).toBeGreaterThan(0);
  }
  const { parameters } = modelSize(encoder);
  expect(parameters).toBe(variables.reduce((sum, { size }) => sum + size, 0));
  tf.dispose([sounds, cotangent, value, grads]);
  params.dispose();
});

test('a text grows token by token as in one pass, and nothing is left behind', async () => {
  const { network, params } = encoderDecoderModel(createModel(sizes, { seed: 2 }));
  const before = tf.memory().numTensors;
  const sounds = gaussian([2, 6, 5], 4);
  const { states } = network.encode(sounds);
  const ids = tf.tensor2d([2, 7, 9, 4, 2, 3, 8, 10], [2, 4], 'int32');
  const cache = new KeyValueCache();
  const [whole, grown] = tf.tidy(() => {
    const parts = [0, 1, 2, 3].map((t) =>
      network.decode(ids.slice([0, t], [2, 1]), { states }, { cache }),
    );
    return [network.decode(ids, { states }), tf.concat(parts, 1)];
  });
  await expectClose(grown!, whole!, { ratio: 1e-5 });
  cache.dispose();
  tf.dispose([sounds, states, ids, whole!, grown!]);
  expect(tf.memory().numTensors).toBe(before);
  params.dispose();
});

test('sounds of another shape or type, and masks, are refused', () => {
  const { network, params } = encoderDecoderModel(createModel(sizes));
  const given = (frames: tf.Tensor) => () => network.encode(frames);
  expect(given(tf.ones([2, 5, 5]))).toThrow('frames has shape [2, 5, 5]; expected [B, 6, 5]');
  expect(given(tf.zeros([2, 4], 'int32'))).toThrow('expected [B, 6, 5]');
  expect(given(tf.ones([2, 6, 5], 'int32'))).toThrow('frames have type int32; expected float32');
  const attentionMask = tf.ones([2, 6], 'int32');
  expect(() => network.encode(tf.ones([2, 6, 5]), { attentionMask })).toThrow(
    'encode: attentionMask is given for sounds; expected none',
  );
  params.dispose();
});

test('parts that do not go with sounds are refused by name', () => {
  const own = (more: object) => () => createModel({ ...encoder, ...more } as never);
  const { frames } = encoder.embedding;
  expect(own({ vocabSize: 7 })).toThrow(/'vocabSize' is 7 and 'embedding.frames' is there/);
  expect(own({ embedding: { frames: { count: 5, channels: 2 } } })).toThrow(
    /'embedding.frames.count' is 5; expected an even number/,
  );
  expect(own({ maxLength: 1 })).toThrow(
    /'embedding.frames.count' is 4; expected an even number, of at most twice 'maxLength' 1/,
  );
  expect(own({ head: { kind: 'question-answering' } })).toThrow(/sounds take none, embedding or/);
  expect(own({ head: { kind: 'embedding', of: { id: 3 } } })).toThrow(/sounds have no ids/);
  expect(own({ maxLength: 2, position: { kind: 'learned', padId: 1 } })).toThrow(
    /'position.padId' is 1; sounds have no ids: expected none/,
  );
  const patches = { height: 4, width: 6, size: [2, 2], channels: 3 };
  expect(own({ embedding: { frames, patches } })).toThrow(
    "'embedding.patches' and 'embedding.frames' are both there; expected pictures or sounds",
  );
  expect(own({ topology: 'decoder', head: { kind: 'none' } })).toThrow(
    /'embedding.frames' is .*; it goes with 'topology' "encoder"/,
  );
});
