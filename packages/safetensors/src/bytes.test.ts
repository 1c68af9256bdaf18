import { expect, test } from 'vitest';
import {
  type Bytes,
  blobBytes,
  DTYPES,
  type Dtype,
  PREFIX_BYTES,
  parseHeader,
  parseHeaderLength,
  readSafetensors,
  SafetensorsReader,
  ShardedReader,
  toFloat32,
  viewTensor,
  writeSafetensors,
} from './index.js';

/** The same bytes in everything that holds bytes, at offsets that no wider element is aligned to. */
function containers(bytes: Uint8Array): [name: string, Bytes][] {
  const { length } = bytes;
  const moved = (buffer: ArrayBufferLike, offset: number) => {
    new Uint8Array(buffer).set(bytes, offset);
    return buffer;
  };
  const odd = (offset: number) => moved(new ArrayBuffer(length + offset), offset);
  return [
    ['Buffer', Buffer.from(bytes)],
    ['Buffer of a pool', Buffer.concat([Buffer.of(7), bytes]).subarray(1)],
    ['Uint8Array at 3', new Uint8Array(odd(3), 3)],
    ['Uint8ClampedArray', new Uint8ClampedArray(odd(1), 1)],
    ['DataView at 5', new DataView(odd(5), 5)],
    ['ArrayBuffer', odd(0)],
    ['SharedArrayBuffer', moved(new SharedArrayBuffer(length), 0)],
    ['shared at 1', new Uint8Array(moved(new SharedArrayBuffer(length + 1), 1), 1)],
  ];
}

/** A tensor of every type with 16 bytes, behind one of 3 bytes that leaves them unaligned. */
const elements = Uint8Array.from({ length: 16 }, (_, i) => (i * 37 + 11) % 126);
const file = unaligned();

/** A file whose data begins at an odd byte, as the format allows. */
function unaligned(): Uint8Array {
  let end = 3;
  const header: Record<string, unknown> = {
    pad: { dtype: 'U8', shape: [3], data_offsets: [0, 3] },
  };
  for (const dtype of DTYPES) {
    const { data } = viewTensor({ dtype, shape: [] }, elements);
    const count = { C64: 2, F4: 32, F6_E2M3: 0, F6_E3M2: 0 }[dtype as string] ?? data.length;
    const bytes = count === 0 ? 0 : elements.length;
    header[dtype] = { dtype, shape: [count], data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(PREFIX_BYTES + json.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, PREFIX_BYTES);
  for (let at = bytes.length - end + 3; at < bytes.length; at += 16) bytes.set(elements, at);
  return bytes;
}

test.each(containers(file))('a file in a %s: every tensor is as its bytes say', (_, bytes) => {
  const read = readSafetensors(bytes);
  for (const dtype of DTYPES) {
    const { data } = read.get(dtype);
    const wanted = dtype.startsWith('F6_') ? new Uint8Array() : elements;
    expect(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).toEqual(wanted);
  }
  const prefix = { name: 'file', fileBytes: file.length };
  expect(parseHeaderLength(bytes, prefix)).toBe(new DataView(file.buffer).getUint32(0, true));
});

test('header, index, elements and room for elements may be in any of them', async () => {
  const headerBytes = file.slice(PREFIX_BYTES, PREFIX_BYTES + file[0]! + 256 * file[1]!);
  for (const [, header] of containers(headerBytes)) {
    const { tensors } = parseHeader(header, { name: 'file', fileBytes: file.length });
    expect([...tensors.keys()]).toEqual(['pad', ...DTYPES]);
  }
  const index = new TextEncoder().encode(
    JSON.stringify({ weight_map: Object.fromEntries(DTYPES.map((d) => [d, 'a.safetensors'])) }),
  );
  const source = () => blobBytes(new Blob([file.slice()]), 'a.safetensors');
  for (const [, bytes] of containers(index)) {
    const sharded = await ShardedReader.open(bytes, { name: 'index', open: async () => source() });
    expect([...sharded.tensors.keys()]).toEqual(DTYPES);
  }
  const reader = await SafetensorsReader.open(source());
  for (const [, into] of containers(new Uint8Array(8))) {
    await reader.readInto('F32', 4, into);
    const view = ArrayBuffer.isView(into) ? into : new Uint8Array(into);
    expect(new Uint8Array(view.buffer, view.byteOffset, 8)).toEqual(elements.subarray(4, 12));
  }
  for (const [, bytes] of containers(elements)) {
    const { data } = viewTensor({ dtype: 'U16', shape: [8] }, bytes);
    expect(data).toEqual(new Uint16Array(elements.buffer));
  }
});

test('a tensor is written from its bytes in any of them', () => {
  for (const dtype of ['BF16', 'F64', 'U8'] as Dtype[]) {
    const shape = [viewTensor({ dtype, shape: [] }, elements).data.length];
    const wanted = writeSafetensors({ w: { dtype, shape, data: elements } });
    for (const [name, data] of containers(elements)) {
      if (name === 'Uint8ClampedArray') continue;
      const input = { dtype, shape, data: data as Uint8Array };
      expect(writeSafetensors({ w: input }), name).toEqual(wanted);
    }
  }
});

test('bytes of halves are widened as halves', () => {
  const halves = Uint16Array.of(0x3c00, 0xc000);
  for (const [name, data] of containers(new Uint8Array(halves.buffer))) {
    if (!(data instanceof Uint8Array)) continue;
    expect(toFloat32({ dtype: 'F16', data }), name).toEqual(Float32Array.of(1, -2));
  }
});

test.each([['a path'], [[1, 2]], [null], [{ length: 3 }]])('%j holds no bytes', (value) => {
  expect(() => readSafetensors(value as never, { name: 'm.safetensors' })).toThrow(
    /^m.safetensors: is (String|Array|Null|Object), expected a Buffer, a Uint8Array/,
  );
});
