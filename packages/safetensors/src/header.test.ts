import { describe, expect, test } from 'vitest';
import { parseHeader, parseHeaderLength, readSafetensors, SafetensorsError } from './index.js';

/** A file with this header and as many bytes of data. */
function fileOf(header: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function refusal(bytes: Uint8Array): SafetensorsError {
  try {
    readSafetensors(bytes, { name: 'm.safetensors' });
  } catch (error) {
    if (error instanceof SafetensorsError) return error;
    throw error;
  }
  throw new Error('the file was read');
}

const f32 = (begin: number, end: number, shape = '[1]') =>
  `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe('a file that is not a file of this format', () => {
  test.each([
    ['no byte', new Uint8Array(0), 'has 0 bytes, a safetensors file has at least 8'],
    ['7 bytes', new Uint8Array(7), 'has 7 bytes, a safetensors file has at least 8'],
    ['8 zeros', new Uint8Array(8), 'header is not JSON: '],
    [
      '100 bytes of 0xab',
      new Uint8Array(100).fill(0xab),
      'header length is 12370169555311111083 bytes, the limit is 100000000; probably no safetensors file',
    ],
    [
      'a header longer than the file',
      fileOf('{}', 0, 3n),
      'header length is 3 bytes, but only 2 follow it in the file',
    ],
    [
      'a header at the limit, longer than the file',
      fileOf('{}', 0, 100_000_000n),
      'header length is 100000000 bytes, but only 2 follow it in the file',
    ],
    [
      'a header beyond the limit',
      fileOf('{}', 0, 100_000_001n),
      'header length is 100000001 bytes, the limit is 100000000; probably no safetensors file',
    ],
    ['a header of other bytes', fileOf(Uint8Array.of(0x7b, 0xff, 0x7d)), 'header is not UTF-8'],
    ['a header with a byte order mark', fileOf('\ufeff{}'), 'header is not JSON: '],
    [
      'an array',
      fileOf('[[1, 2], {"a": 1}, "b"]'),
      'header is [[…], {…}, "b"], expected an object',
    ],
    ['null', fileOf('null'), 'header is null, expected an object'],
  ])('%s', (_, bytes, reason) => {
    const error = refusal(bytes);
    expect(error.message).toContain(`m.safetensors: ${reason}`);
    expect(error).toMatchObject({ file: 'm.safetensors', key: undefined });
  });
});

describe('a header that lies', () => {
  const known = 'expected one of BOOL F4 ';
  const whole = 'expected a whole number from 0 to 9007199254740991';
  test.each([
    ['a name twice', `{"a":${f32(0, 4)},"a":${f32(0, 4)}}`, 'stands twice in the header, expected'],
    ['an escaped name twice', `{"a":${f32(0, 4)},"\\u0061":${f32(0, 4)}}`, 'stands twice in the'],
    ['an entry that is not an object', '{"a":[1]}', 'is [1], expected an object'],
    ['an unknown dtype', '{"a":{"dtype":"F31"}}', `dtype is "F31", ${known}`],
    ['an inherited name as dtype', '{"a":{"dtype":"toString"}}', `dtype is "toString", ${known}`],
    ['no dtype', '{"a":{}}', `dtype is undefined, ${known}`],
    ['no shape', '{"a":{"dtype":"F32"}}', 'shape is undefined, expected an array of sizes'],
    ['a negative size', `{"a":${f32(0, 4, '[2, -1]')}}`, `shape[1] is -1, ${whole}`],
    ['a fractional size', `{"a":${f32(0, 4, '[0.5]')}}`, `shape[0] is 0.5, ${whole}`],
    ['a size that is text', `{"a":${f32(0, 4, '["1"]')}}`, `shape[0] is "1", ${whole}`],
    ['a huge size', `{"a":${f32(0, 4, '[1e16]')}}`, `shape[0] is 10000000000000000, ${whole}`],
    [
      'sizes whose product is huge',
      `{"a":${f32(0, 4, '[3000000000, 3000000000]')}}`,
      'shape [3000000000, 3000000000] of F32 needs 288000000000000000000 bits, more than 9007199254740991',
    ],
    [
      'half a byte',
      '{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}',
      'shape [3] of F4 needs 12 bits, which is not a whole number of bytes',
    ],
    [
      'one offset',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}',
      'data_offsets is [4], expected two whole numbers',
    ],
    ['a negative offset', `{"a":${f32(-4, 0)}}`, 'data_offsets is [-4, 0], expected two whole'],
    ['reversed offsets', `{"a":${f32(4, 0)}}`, 'data_offsets end at 0, before they begin at 4'],
    [
      'offsets for another shape',
      `{"a":${f32(0, 8, '[3]')}}`,
      'data_offsets [0, 8] hold 8 bytes, but shape [3] of F32 needs 12',
    ],
    [
      'an overlap',
      `{"b":${f32(0, 4)},"a":${f32(3, 7)}}`,
      'data begins at byte 3, but the tensor before it ends at 4: they overlap',
    ],
    [
      'a hole',
      `{"b":${f32(0, 4)},"a":${f32(5, 9)}}`,
      'data begins at byte 5, but the data before it ends at 4: a hole',
    ],
    ['a hole at the start', `{"a":${f32(1, 5)}}`, 'data begins at byte 1, but the data before it'],
    ['too little data', `{"a":${f32(0, 12, '[3]')}}`, 'data ends at byte 12, but the file holds 9'],
    ['half a surrogate pair', `{"\\ud800":${f32(0, 4)}}`, '"\\ud800" is not well-formed Unicode'],
  ])('%s', (_, header, reason) => {
    const error = refusal(fileOf(header, 9));
    expect(error.key).toBe(header.includes('ud800') ? '\ud800' : 'a');
    expect(error.message).toContain(`m.safetensors: ${JSON.stringify(error.key)}: ${reason}`);
  });

  test.each([
    ['"pt"', 'is "pt", expected an object'],
    ['{"n":1}', '"n" is 1, expected a string'],
    ['{"n":"\\udc00"}', '"\\udc00" is not well-formed Unicode'],
  ])('metadata that is %s', (metadata, reason) => {
    const error = refusal(fileOf(`{"__metadata__":${metadata}}`));
    expect(error.message).toBe(`m.safetensors: "__metadata__": ${reason}`);
  });

  test('data that no tensor holds', () => {
    expect(refusal(fileOf(`{"a":${f32(0, 4)}}`, 9)).message).toBe(
      'm.safetensors: the tensors fill 4 bytes, but the file holds 9 bytes of data',
    );
  });

  test('a message is short and plain, however large and deep the header is', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(refusal(fileOf(`{"a":{"dtype":${deep}}}`)).message).toContain('dtype is [[…]], ');
    const long = refusal(fileOf(`{"${'x'.repeat(100_000)}\\u001b":1}`)).message;
    expect(long).toMatch(/^m\.safetensors: "x+…": is 1, expected an object$/);
    expect(long.length).toBeLessThan(200);
  });
});

test('what the reference reads, we read: any order, spaces, more keys, null metadata, sizes of zero', () => {
  const header = ` {"b" : {"dtype":"I8","shape":[1],"data_offsets":[2,3],"x":1},
    "__metadata__":null, "e":{"dtype":"F32","shape":[0,9007199254740991,4],"data_offsets":[2,2]},
    "a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}} `;
  const file = readSafetensors(fileOf(header, 3));
  expect([...file.tensors.keys()]).toEqual(['a', 'e', 'b']);
  expect(file.metadata).toEqual({});
});

test('names that objects inherit are names like others', () => {
  const header = `{"__proto__":${f32(0, 4)},"constructor":${f32(4, 8)},"__metadata__":{"__proto__":"x"}}`;
  const file = readSafetensors(fileOf(header, 8));
  expect([...file.tensors.keys()]).toEqual(['__proto__', 'constructor']);
  expect(Object.entries(file.metadata)).toEqual([['__proto__', 'x']]);
});

test('a lazy reader parses the length, then the header', () => {
  const bytes = fileOf(`{"a":${f32(0, 4)}}`, 4);
  const source = { name: 'm.safetensors', fileBytes: bytes.length };
  const length = parseHeaderLength(bytes.subarray(0, 8), source);
  const header = parseHeader(bytes.subarray(8, 8 + length), source);
  expect(header.dataStart).toBe(bytes.length - 4);
  expect(header.tensors.get('a')).toEqual({ dtype: 'F32', shape: [1], offsets: [0, 4] });
});
