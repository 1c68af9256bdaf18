import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gguf } from '@huggingface/gguf';
import { describe, expect, test } from 'vitest';
import golden from './goldens/reference.json' with { type: 'json' };
import { GgufError, type GgufTensor, quantize, streamGguf, type WrittenType } from './index.js';

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const floats = (base64: string) => new Float32Array(bytesOf(base64).buffer);
const values = floats(golden.values);

async function written(...given: Parameters<typeof streamGguf>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamGguf(...given)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

const matrix = (type: WrittenType): GgufTensor => ({
  type,
  shape: [5, 64],
  values: () => values.subarray(0, 320),
});

describe('quantising is ggml to the bit', () => {
  test.each(['q8_0', 'q4_k'] as const)('%s', (type) => {
    expect(quantize(values, type)).toEqual(bytesOf(golden[type]));
  });

  test('a scale beyond float16 is refused', () => {
    const large = new Float32Array(256).fill(1e8);
    large[0] = -1e8;
    expect(() => quantize(large, 'q8_0')).toThrow('float16 holds at most 65504');
    expect(() => quantize(large, 'q4_k')).toThrow('float16 holds at most 65504');
    expect(() => quantize(large, 'f16')).toThrow(GgufError);
  });
});

describe('a file', () => {
  test('is that of the reference, byte for byte', async () => {
    const file = await written(
      {
        'general.architecture': ['string', 'llama'],
        'llama.block_count': ['u32', 4_294_967_295],
        'an.int': ['i32', -5],
        'llama.attention.layer_norm_rms_epsilon': ['f32', 1e-5],
        'tokenizer.ggml.add_bos_token': ['bool', true],
        'general.name': ['string', 'Größe ▁🐋'],
        'tokenizer.ggml.tokens': ['string[]', ['a', 'Ġb', '▁é']],
        'tokenizer.ggml.scores': ['f32[]', Float32Array.of(0, -1.5, -10_000)],
        'tokenizer.ggml.token_type': ['i32[]', Int32Array.of(1, 3, 6)],
        'tokenizer.ggml.precompiled_charsmap': ['u8[]', Uint8Array.of(0, 127, 255)],
      },
      {
        f32: matrix('f32'),
        f16: matrix('f16'),
        q8_0: matrix('q8_0'),
        bias: { type: 'f32', shape: [3], values: () => values.subarray(0, 3) },
      },
    );
    expect(Buffer.from(file).equals(Buffer.from(golden.file, 'base64'))).toBe(true);
  });

  test("is read by Hugging Face's own reader", async () => {
    const file = await written(
      { 'general.architecture': ['string', 'llama'] },
      { w: matrix('q8_0') },
    );
    const path = join(await mkdtemp(join(tmpdir(), 'gguf-')), 'one.gguf');
    await writeFile(path, file);
    const { metadata, tensorInfos } = await gguf(path, { allowLocalFile: true });
    expect(metadata).toMatchObject({
      version: 3,
      tensor_count: 1n,
      'general.architecture': 'llama',
    });
    expect(tensorInfos).toMatchObject([{ name: 'w', shape: [64n, 5n], dtype: 8, offset: 0n }]);
  });

  test('refuses what does not fit', async () => {
    await expect(written({}, { w: matrix('q4_k') })).rejects.toThrow(
      "tensor 'w' has rows of 64 values; q4_k takes multiples of 256",
    );
    const short = { ...matrix('f32'), values: () => values.subarray(1, 3) };
    await expect(written({}, { w: short })).rejects.toThrow(
      "tensor 'w' has 2 values; expected 320 of shape [5, 64]",
    );
    await expect(written({ n: ['u32', -1] }, {})).rejects.toThrow(
      "'n' is -1; expected a whole number",
    );
  });
});
