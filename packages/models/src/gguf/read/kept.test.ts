import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GgmlType, type GgufMetadata, ggmlTypes, streamGguf } from '@headwise/gguf';
import { PackedWeight } from '@headwise/kernels';
import { unpackWeight } from '@headwise/kernels/internal';
import { blobBytes } from '@headwise/safetensors';
import { expectClose } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { describeCheckpoint, type LoadOptions, loadModel } from '../../index.js';
import { createModel, languageModel, type Model } from '../../model.js';
import { ggufModel } from '../gguf-model.js';
import { keptBytes, keptWeight } from './kept.js';
import { GgufReader } from './reader.js';

const golden: Record<string, { bytes: string; values: string }> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../../gguf/src/goldens/dequantized.json'), 'utf8'),
).tensors;
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

describe('a matrix that stays as the file has it has the values of gguf', () => {
  const types = (Object.keys(ggmlTypes) as GgmlType[]).filter((type) => type !== 'f32');
  test.each(types)('%s', async (type) => {
    const bytes = bytesOf(golden[type]!.bytes);
    const expected = new Float32Array(bytesOf(golden[type]!.values).buffer);
    const info = { type, shape: [2, 256], begin: 0, end: bytes.length };
    const header = { metadata: new Map(), tensors: new Map([['w', info]]) };
    const reader = new GgufReader(blobBytes(new Blob([bytes]), 'a.gguf'), header);
    const found = {
      key: 'w',
      info: reader.tensors.get('w')!,
      rows: () => [1, 0],
      part: undefined,
      turned: false,
    };
    const weight = await keptWeight(reader, found, [2, 256], 'out-in');
    // Rows change places, and columns of [In, Out] are the rows of the file.
    const table = tf.tensor2d(expected, [2, 256]).reverse(0);
    await expectClose(unpackWeight(weight!), [...table.transpose().dataSync()], { ratio: 1e-7 });
    // Columns are padded to four, and both of them take as much.
    expect(weight!.bytes).toBe(keptBytes(type, [2, 256]));
    const single = { ...found, rows: undefined, part: { index: 1, of: 2 } };
    const second = await keptWeight(reader, single, [1, 256], 'out-in');
    await expectClose(unpackWeight(second!), [...expected.subarray(256)], { ratio: 1e-7 });
  });

  test('a scale that is not finite is found', async () => {
    const bytes = bytesOf(golden.q8_0!.bytes);
    bytes.set([0x00, 0x7c], 34);
    const info = { type: 'q8_0' as const, shape: [2, 256], begin: 0, end: bytes.length };
    const header = { metadata: new Map(), tensors: new Map([['w', info]]) };
    const reader = new GgufReader(blobBytes(new Blob([bytes]), 'a.gguf'), header);
    const place = { rows: undefined, part: undefined, turned: false };
    const found = { key: 'w', info: reader.tensors.get('w')!, ...place };
    expect(await keptWeight(reader, found, [2, 256], 'out-in')).toBeUndefined();
  });
});

async function fileOf(model: Model, type: 'f16' | 'q8_0' | 'q4_k', more: GgufMetadata = {}) {
  const { metadata, tensors } = ggufModel(model, type);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of streamGguf({ ...metadata, ...more }, tensors)) {
    chunks.push(new Uint8Array(chunk));
  }
  return new File(chunks, 'a.gguf');
}

const scores = async (model: Model) => {
  const ids = tf.tensor2d([[1, 5, 2, 9, 3]], undefined, 'int32');
  return languageModel(model).network.forward(ids).data();
};

const sizes = { hidden_size: 256, intermediate_size: 256, num_hidden_layers: 1, vocab_size: 32 };
const llama = { model_type: 'llama', ...sizes, num_attention_heads: 4, num_key_value_heads: 2 };
const gpt2 = {
  model_type: 'gpt2',
  n_embd: 64,
  n_layer: 1,
  n_head: 4,
  n_positions: 16,
  vocab_size: 32,
};

describe('a model from a GGUF file', () => {
  test.each([
    ['llama', llama, 'f16', 'f16'],
    ['llama', llama, 'q8_0', 'int8-groups'],
    ['llama', llama, 'q4_k', 'uint4'],
    ['gpt2', gpt2, 'q8_0', 'int8-groups'],
  ] as const)(
    '%s %o in %s stays packed, with the scores of its values',
    async (_, config, type, format) => {
      const made = createModel(config as never, { seed: 3 });
      const file = await fileOf(made, type);
      const before = tf.memory().numBytes;
      const kept = await loadModel([file]);
      const held = tf.memory().numBytes - before;
      const packed = Object.values(kept.params.matrices()).map(({ packed }) => packed);
      expect(packed.every((one) => one instanceof PackedWeight)).toBe(true);
      const formats = new Set(packed.map((one) => (one as PackedWeight).format));
      expect(formats.has(format)).toBe(true);
      const whole = await loadModel([file], { dtype: 'f32' });
      const all = tf.memory().numBytes - before - held;
      expect(held / all).toBeLessThan(type === 'f16' ? 0.55 : type === 'q8_0' ? 0.32 : 0.25);
      await expectClose(tf.tensor1d(await scores(kept)), [...(await scores(whole))], {
        ratio: 1e-5,
      });
      const { parameters } = await describeCheckpoint([file]);
      expect(parameters.some(({ dtype }) => dtype === type)).toBe(true);
      for (const model of [made, kept, whole]) model.params.dispose();
    },
  );

  const wrong: [more: GgufMetadata, message: string, options?: LoadOptions][] = [
    [
      { 'general.architecture': ['string', 'rwkv7'] },
      "'general.architecture' is 'rwkv7'; expected one of llama",
    ],
    [{ 'llama.expert_count': ['u32', 8] }, "'llama.expert_count' is 8; expected 0: experts"],
    [
      { 'llama.block_count': ['string', 'many'] },
      '\'llama.block_count\' is "many"; expected a number',
    ],
    [{ 'llama.block_count': ['u32', 2] }, "no tensor 'blk.1.attn_norm.weight'"],
    [
      { 'llama.feed_forward_length': ['u32', 512] },
      'has shape [256, 256]; the configuration needs [512, 256]',
    ],
    [
      { 'llama.rope.scaling.type': ['string', 'spiral'] },
      '\'llama.rope.scaling.type\' is "spiral"; expected none, linear, yarn or longrope',
    ],
    [{}, 'available: 1.00 kB', { memoryLimit: 1000 }],
  ];
  test.each(wrong)('%o is refused', async (more, message, options = {}) => {
    const made = createModel(llama as never, { seed: 3 });
    await expect(loadModel([await fileOf(made, 'q8_0', more)], options)).rejects.toThrow(message);
    made.params.dispose();
  });

  test('a setting that is missing is named', async () => {
    const made = createModel(llama as never, { seed: 3 });
    const { metadata, tensors } = ggufModel(made, 'q8_0');
    const { 'llama.attention.head_count': _, ...rest } = metadata;
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of streamGguf(rest, tensors)) chunks.push(new Uint8Array(chunk));
    await expect(loadModel([new File(chunks, 'a.gguf')])).rejects.toThrow(
      "a.gguf: 'llama.attention.head_count' is missing; expected a number",
    );
    made.params.dispose();
  });
});
