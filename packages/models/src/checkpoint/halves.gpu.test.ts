import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { currentDevice } from '@headwise/core';
import { blobBytes, readSafetensors, toFloat32 } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { createModel, loadModel } from '../index.js';
import { checkpointTensors } from '../internal.js';
import { loadModel as loadFolder, saveModel } from '../node.js';

/** Of odd numbers of values, some of them enough to be widened on the GPU. */
const config = {
  model_type: 'gpt2',
  vocab_size: 131,
  n_positions: 7,
  n_embd: 127,
  n_layer: 1,
  n_head: 1,
};

test('the tensors of several experts become one parameter', async () => {
  const experts = {
    model_type: 'mixtral',
    vocab_size: 11,
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    num_local_experts: 3,
  };
  const folder = await mkdtemp(join(tmpdir(), 'headwise-halves-'));
  const made = createModel(experts, { seed: 4 });
  await saveModel(folder, made, { dtype: 'bf16' });
  made.params.dispose();
  const file = readSafetensors(await readFile(join(folder, 'model.safetensors')));
  const model = await loadFolder(folder);
  const tensors = Object.entries(checkpointTensors(model));
  expect(tensors.filter(([key]) => /experts/.test(key)).length).toBeGreaterThan(3);
  for (const [key, { data }] of tensors) {
    expect(await (data as () => Promise<Float32Array>)(), key).toEqual(toFloat32(file.get(key)));
  }
  model.params.dispose();
  await rm(folder, { recursive: true });
});

describe.each(['f16', 'bf16'] as const)('a checkpoint of %s', (dtype) => {
  const files: Record<string, Uint8Array> = {};
  const load = (changed: Partial<typeof files> = {}) =>
    loadModel({
      name: 'model',
      async open(name) {
        const bytes = changed[name] ?? files[name];
        return bytes && blobBytes(new Blob([bytes as Uint8Array<ArrayBuffer>]), name);
      },
    });

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headwise-halves-'));
    const model = createModel(config, { seed: 3 });
    await saveModel(folder, model, { dtype });
    model.params.dispose();
    for (const name of ['config.json', 'model.safetensors']) {
      files[name] = await readFile(join(folder, name));
    }
    await rm(folder, { recursive: true });
  });

  test('has on the GPU the values of its file, bit for bit', async () => {
    const file = readSafetensors(files['model.safetensors']!);
    const model = await load();
    for (const [key, { data }] of Object.entries(checkpointTensors(model))) {
      expect(await (data as () => Promise<Float32Array>)(), key).toEqual(toFloat32(file.get(key)));
    }
    model.params.dispose();
  });

  test('is loaded without a submission for each tensor', async () => {
    tf.ones([4]).mul(2).dispose();
    const submit = vi.spyOn(currentDevice()!.gpu.queue, 'submit');
    try {
      const model = await load();
      const tensors = Object.keys(checkpointTensors(model)).length;
      model.params.dispose();
      expect(tensors).toBeGreaterThan(10);
      // What was recorded before, and what is widened.
      expect(submit.mock.calls.length).toBeLessThanOrEqual(2);
    } finally {
      submit.mockRestore();
    }
  });

  test('is refused where a value is not finite, wherever it stands, and nothing is left of it', async () => {
    const before = tf.memory().numTensors;
    const weights = files['model.safetensors']!;
    const data = 8 + Number(new DataView(weights.buffer, weights.byteOffset).getBigUint64(0, true));
    const infinite = dtype === 'f16' ? 0x7c00 : 0x7f80;
    const largest = infinite - 1;
    const key = 'transformer.wte.weight';
    const [from, to] = readSafetensors(weights).tensors.get(key)!.offsets;
    const withBits = (value: number, bits: number) => {
      const changed = weights.slice();
      new DataView(changed.buffer).setUint16(data + from + 2 * value, bits, true);
      return { 'model.safetensors': changed };
    };
    const last = (to - from) / 2 - 1;
    for (const value of [0, 1, last - 1, last]) {
      for (const bits of [infinite, infinite | 0x8000, infinite | 1]) {
        await expect(load(withBits(value, bits)), `${value} ${bits}`).rejects.toThrow(
          `NaN or infinite values in tensor '${key}'`,
        );
      }
      (await load(withBits(value, largest | 0x8000))).params.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});
