import { type LanguageModel, readTensor } from '@headwise/core';
import type { WeightDtype } from '@headwise/layers';
import { describeBackends } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { createModel, type DecoderSettings } from './model.js';
import { quantizeModel } from './quantize.js';

const config: DecoderSettings = {
  model_type: 'gpt2',
  vocab_size: 101,
  n_positions: 16,
  n_embd: 96,
  n_layer: 2,
  n_head: 6,
  initializer_range: 0.1,
};

async function logits(dtype: WeightDtype): Promise<{ y: Float32Array; free: () => void }> {
  const model = createModel(config, { seed: 1, dtype });
  return { y: await logitsOf(model.network), free: () => model.params.dispose() };
}

async function logitsOf(network: LanguageModel): Promise<Float32Array> {
  const ids = tf.tensor2d([3, 1, 4, 1, 5, 9, 2, 6], [2, 4], 'int32');
  const y = network.forward(ids);
  const values = (await readTensor(y)) as Float32Array;
  tf.dispose([ids, y]);
  return values;
}

/** The size of the difference over the size of the expected values. */
function ratio(actual: Float32Array, expected: Float32Array): number {
  const size = (values: Iterable<number>) => Math.hypot(...values);
  return size(actual.map((y, i) => y - expected[i]!)) / size(expected);
}

describeBackends('packed weights', () => {
  test.each([
    // Bits of a value, and the errors that their rounding makes in two layers.
    ['f16', 2, 1e-5, 1e-3],
    ['int8', 4, 1e-4, 2e-2],
    ['int4', 6, 1e-2, 0.3],
  ] as const)('%s: bytes over %i, nearly the same scores', async (dtype, times, least, most) => {
    const model = createModel(config, { seed: 1 });
    const expected = await logitsOf(model.network);
    const tensors = tf.memory().numTensors;
    const { before, after } = await quantizeModel(model.params, { dtype });
    expect(before / after).toBeGreaterThan(times - 1);
    // Nothing is left of the float32 weights; whole numbers have scales beside them.
    expect(tf.memory().numTensors).toBe(tensors + (dtype === 'f16' ? 0 : 9));
    const matrices = Object.entries(model.params.named()).filter(([, { rank }]) => rank > 1);
    expect(matrices.map(([path]) => path)).toEqual(['positions.weight']);
    const y = await logitsOf(model.network);
    const error = ratio(y, expected);
    expect(error).toBeGreaterThan(least);
    expect(error).toBeLessThan(most);

    // Packed as they are made: the same values.
    const made = await logits(dtype);
    expect(made.y).toEqual(y);
    expect(model.params.count()).toBe(createdCount());
    made.free();
    model.params.dispose();
  });

  test('a packed weight is not given out in float32, nor freed twice', async () => {
    const before = tf.memory().numTensors;
    const model = createModel(config, { seed: 1, dtype: 'int8' });
    expect(() =>
      model.params.at('blocks.0.attn.qkv').get('weight', [96, 288], () => new Float32Array()),
    ).toThrow("parameter 'blocks.0.attn.qkv.weight' is packed");
    expect(() =>
      model.params.pack(
        'blocks.0.attn.qkv.weight',
        Object.values(model.params.matrices())[0]!.packed!,
      ),
    ).toThrow('is not a matrix that could be packed');
    model.params.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

function createdCount(): number {
  const model = createModel(config, { seed: 1 });
  const count = model.params.count();
  model.params.dispose();
  return count;
}
