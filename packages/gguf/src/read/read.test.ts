import { blobBytes } from '@headwise/safetensors';
import { gguf } from '@huggingface/gguf';
import { describe, expect, test } from 'vitest';
import dequantized from '../goldens/dequantized.json' with { type: 'json' };
import golden from '../goldens/reference.json' with { type: 'json' };
import { dequantize, type GgmlType, ggmlTypes, readGgufHeader } from '../index.js';

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const file = bytesOf(golden.file);
const header = (bytes: Uint8Array) =>
  readGgufHeader(blobBytes(new Blob([new Uint8Array(bytes)]), 'a.gguf'));

/** The file with some bytes exchanged. */
function changed(at: number, ...bytes: number[]): Uint8Array {
  const copy = file.slice();
  copy.set(bytes, at);
  return copy;
}

/** Where a text stands in the file. */
const placeOf = (text: string) => Buffer.from(file).indexOf(text);

describe('dequantising is gguf to the bit', () => {
  test.each(Object.keys(ggmlTypes) as GgmlType[])('%s', (type) => {
    const { bytes, values } = dequantized.tensors[type];
    const actual = dequantize(bytesOf(bytes), type);
    // Bits tell -0 from 0.
    expect(new Uint8Array(actual.buffer)).toEqual(bytesOf(values));
  });

  test('bytes that are not whole blocks are refused', () => {
    expect(() => dequantize(new Uint8Array(35), 'q8_0')).toThrow(
      'dequantize: 35 bytes of q8_0; expected a multiple of 34',
    );
    expect(() => dequantize(new Uint8Array(34), 'q8_0', new Float32Array(31))).toThrow(
      'dequantize: 32 values; there is room for 31',
    );
  });
});

describe('a header', () => {
  test("has the reference's metadata and places", async () => {
    const { metadata, tensors } = await header(file);
    expect(Object.fromEntries(metadata)).toEqual({
      'general.architecture': 'llama',
      'llama.block_count': 4_294_967_295,
      'an.int': -5,
      'llama.attention.layer_norm_rms_epsilon': Math.fround(1e-5),
      'tokenizer.ggml.add_bos_token': true,
      'general.name': 'Größe ▁🐋',
      'tokenizer.ggml.tokens': ['a', 'Ġb', '▁é'],
      'tokenizer.ggml.scores': [0, -1.5, -10_000],
      'tokenizer.ggml.token_type': [1, 3, 6],
      'tokenizer.ggml.precompiled_charsmap': [0, 127, 255],
    });
    const values = new Float32Array(bytesOf(golden.values).buffer).subarray(0, 320);
    const { type, shape, begin, end } = tensors.get('f32')!;
    expect([type, shape]).toEqual(['f32', [5, 64]]);
    expect(dequantize(file.subarray(begin, end), type)).toEqual(values);
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ['f32', [5, 64]],
      ['f16', [5, 64]],
      ['q8_0', [5, 64]],
      ['bias', [3]],
    ]);
  });

  test("lies where Hugging Face's own reader finds it", async () => {
    const fetch = async () => new Response(new Uint8Array(file));
    const theirs = await gguf('https://models.example/a.gguf', { fetch });
    const { tensors } = await header(file);
    expect([...tensors].map(([name, { begin }]) => [name, begin])).toEqual(
      theirs.tensorInfos.map(({ name, offset }) => [
        name,
        Number(theirs.tensorDataOffset + offset),
      ]),
    );
  });

  test('longer than what is read first is read on', async () => {
    const long = `${'é'.repeat(700_000)}`;
    const text = new TextEncoder().encode(long);
    const key = new TextEncoder().encode('general.name');
    const bytes = new Uint8Array(24 + 8 + key.length + 12 + text.length);
    const view = new DataView(bytes.buffer);
    bytes.set(new TextEncoder().encode('GGUF'));
    view.setUint32(4, 3, true);
    view.setUint32(16, 1, true);
    view.setUint32(24, key.length, true);
    bytes.set(key, 32);
    view.setUint32(32 + key.length, 8, true);
    view.setUint32(36 + key.length, text.length, true);
    bytes.set(text, 44 + key.length);
    expect((await header(bytes)).metadata.get('general.name')).toBe(long);
  });

  const type = placeOf('q8_0') + 4 + 4 + 16;
  const wrong: [what: string, bytes: Uint8Array, message: string][] = [
    ['another magic', changed(0, 0x50, 0x4b), "a.gguf: begins with 0x46554b50; expected 'GGUF'"],
    ['a future version', changed(4, 4), 'a.gguf: is of version 4; expected 2 or 3'],
    ['big-endian order', changed(4, 0, 0, 0, 3), 'version 50331648, of big-endian order'],
    ['an unknown type', changed(type, 10), "tensor 'q8_0' is of type Q2_K (10); expected f32, f16"],
    ['a type that ggml lacks', changed(type, 99), "tensor 'q8_0' is of type 99; expected f32"],
    ['a type with other blocks', changed(type, 12), 'q4_k takes multiples of 256'],
    [
      'a tensor that is not in the file',
      changed(type + 4, 0, 0, 0, 1),
      "tensor 'q8_0' of shape [5, 64] lies at bytes 16777",
    ],
    [
      'an unknown type of metadata',
      changed(placeOf('an.int') + 6, 13),
      "'an.int' has the type 13; expected one from 0 to 12",
    ],
    [
      'a text that is longer than the file',
      changed(placeOf('Größe') - 4, 0, 0, 0, 1),
      'ends in its header, which goes on to byte',
    ],
    ['more entries than there are', changed(16, 255), 'a.gguf: '],
    ['an end in its header', file.slice(0, 300), 'a.gguf: has 300 bytes and ends in its header'],
    ['an end in its tensors', file.slice(0, -32), "tensor 'bias' of shape [3] lies at bytes"],
    ['nothing', new Uint8Array(0), 'a.gguf: has 0 bytes and ends in its header'],
  ];
  test.each(wrong)('with %s is refused', async (_, bytes, message) => {
    await expect(header(bytes)).rejects.toThrow(message);
  });
});
