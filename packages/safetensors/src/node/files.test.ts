import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { blobBytes, SafetensorsReader, type TensorInput, writeSafetensors } from '../index.js';
import { fileBytes, openSafetensors, writeSafetensorsFile } from '../node.js';

let root: string;
let folder: string;
let path: string;
let runs = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'headwise-safetensors-'));
});
beforeEach(async () => {
  folder = join(root, String(runs++));
  path = join(folder, 'model.safetensors');
  await mkdir(folder);
});
afterAll(() => rm(root, { recursive: true }));

const tensors = {
  bias: { shape: [3], data: Float32Array.of(1, 2, 3) },
  ids: { shape: [2, 1], data: Int16Array.of(-7, 7) },
} satisfies Record<string, TensorInput>;

describe('reading', () => {
  test('each tensor is read alone', async () => {
    await writeFile(path, writeSafetensors(tensors, { format: 'pt' }));
    const reader = await openSafetensors(path);
    expect([...reader.tensors.keys()]).toEqual(['bias', 'ids']);
    expect(reader).toMatchObject({ metadata: { format: 'pt' } });
    expect(await reader.read('ids')).toEqual({ dtype: 'I16', ...tensors.ids });
    expect(await reader.read('bias')).toEqual({ dtype: 'F32', ...tensors.bias });
    await expect(reader.read('mask')).rejects.toThrow(`${path}: "mask": is not among the file's 2`);
    await reader.close();
    await expect(reader.read('bias')).rejects.toThrow();
  });

  test('a file that is missing, a folder, short, or lying is named', async () => {
    const refused = async (file: string, reason: string) =>
      expect(openSafetensors(file)).rejects.toMatchObject({
        name: 'SafetensorsError',
        message: expect.stringContaining(`${file}: ${reason}`),
      });
    await refused(path, 'cannot be opened: ENOENT');
    await refused(folder, 'holds neither model.safetensors nor model.safetensors.index.json');
    await expect(fileBytes(folder)).rejects.toThrow(`${folder}: is not a regular file`);
    await writeFile(path, 'short');
    await refused(path, 'has 5 bytes, a safetensors file has at least 8');
    await writeFile(path, writeSafetensors(tensors).subarray(0, -1));
    await refused(path, '"ids": data ends at byte 16, but the file holds 15 bytes of data');
  });

  test('a header length of 100 MB allocates nothing where the file is short', async () => {
    const bytes = new Uint8Array(100);
    new DataView(bytes.buffer).setBigUint64(0, 100_000_000n, true);
    await writeFile(path, bytes);
    const before = process.memoryUsage().arrayBuffers;
    await expect(openSafetensors(path)).rejects.toThrow(
      'header length is 100000000 bytes, but only 92 follow it in the file',
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  test('a part of a tensor is read alone, and never more than the tensor', async () => {
    await writeFile(path, writeSafetensors(tensors));
    const reader = await openSafetensors(path);
    const part = new Float32Array(2);
    await reader.readInto('bias', 4, new Uint8Array(part.buffer));
    expect(part).toEqual(Float32Array.of(2, 3));
    await expect(reader.readInto('bias', 8, new Uint8Array(5))).rejects.toThrow(
      `${path}: "bias": has 12 bytes; asked for those from 8 to 13`,
    );
    await reader.close();
  });

  test('a file that a person chose is read like one on disk, and refused where it is cut', async () => {
    const bytes = writeSafetensors(tensors, { format: 'pt' });
    const file = new File([bytes as Uint8Array<ArrayBuffer>], 'model.safetensors');
    const reader = await SafetensorsReader.open(blobBytes(file, file.name));
    expect(reader.metadata).toEqual({ format: 'pt' });
    expect(await reader.read('ids')).toEqual({ dtype: 'I16', ...tensors.ids });
    const cut = blobBytes(file.slice(0, -1), 'cut.safetensors');
    await expect(cut.read(bytes.length - 2, new Uint8Array(2))).rejects.toThrow(
      `cut.safetensors: ends at byte ${bytes.length - 1}, expected ${bytes.length}`,
    );
    await expect(SafetensorsReader.open(cut)).rejects.toThrow(
      'but the file holds 15 bytes of data',
    );
  });

  test('a file that is cut after it was opened is refused', async () => {
    const bytes = writeSafetensors(tensors);
    await writeFile(path, bytes);
    const reader = await openSafetensors(path);
    await truncate(path, bytes.length - 2);
    expect((await reader.read('bias')).data).toEqual(tensors.bias.data);
    await expect(reader.read('ids')).rejects.toThrow(
      `${path}: ends at byte ${bytes.length - 2}, expected ${bytes.length}`,
    );
    await reader.close();
  });
});

describe('writing', () => {
  test('the file holds what the bytes in memory would', async () => {
    const lazy = {
      ...tensors,
      bias: { dtype: 'F32' as const, shape: [3], data: () => tensors.bias.data },
    };
    await writeSafetensorsFile(path, lazy, { format: 'pt' });
    const written = Buffer.from(writeSafetensors(tensors, { format: 'pt' }));
    expect(await readFile(path)).toEqual(written);
    expect(await readdir(folder)).toEqual(['model.safetensors']);
  });

  test('a failure halfway leaves the old file as it was, and nothing beside it', async () => {
    await writeSafetensorsFile(path, tensors);
    const before = await readFile(path);
    const failing = {
      ...tensors,
      late: { dtype: 'U8' as const, shape: [1], data: () => Promise.reject(new Error('lost')) },
    };
    await expect(writeSafetensorsFile(path, failing)).rejects.toThrow('lost');
    const wrong = { bias: { shape: [4], data: tensors.bias.data } };
    await expect(writeSafetensorsFile(path, wrong)).rejects.toThrow(
      `${path}: "bias": data has 12 bytes, but shape [4] of F32 needs 16`,
    );
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(folder)).toEqual(['model.safetensors']);
  });

  test('a folder that is not there, or stands where the file should, is named', async () => {
    const nowhere = join(folder, 'no', 'model.safetensors');
    await expect(writeSafetensorsFile(nowhere, tensors)).rejects.toThrow(
      `${nowhere}: cannot be written: ENOENT`,
    );
    await mkdir(path);
    await expect(writeSafetensorsFile(path, tensors)).rejects.toThrow(`${path}: cannot be written`);
    expect(await readdir(folder)).toEqual(['model.safetensors']);
  });
});

describe('a sharded model', () => {
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const index = () => join(folder, 'model.safetensors.index.json');
  const writeIndex = (weightMap: unknown) =>
    writeFile(index(), JSON.stringify({ metadata: { total_size: 16 }, weight_map: weightMap }));

  beforeEach(async () => {
    await writeSafetensorsFile(join(folder, shards[0]!), { bias: tensors.bias });
    await writeSafetensorsFile(join(folder, shards[1]!), { ids: tensors.ids });
  });

  test('is read through its index, or its folder', async () => {
    await writeIndex({ ids: shards[1], bias: shards[0] });
    for (const given of [index(), folder]) {
      const reader = await openSafetensors(given);
      expect([...reader.tensors.keys()]).toEqual(['bias', 'ids']);
      expect(await reader.read('ids')).toEqual({ dtype: 'I16', ...tensors.ids });
      expect(await reader.read('bias')).toEqual({ dtype: 'F32', ...tensors.bias });
      await expect(reader.read('mask')).rejects.toThrow(`${index()}: "mask": is not among`);
      await reader.close();
      await expect(reader.read('ids')).rejects.toThrow();
    }
  });

  test('gives way to a single file in the same folder', async () => {
    await writeIndex({ ids: shards[1] });
    await writeSafetensorsFile(path, { only: tensors.bias });
    const reader = await openSafetensors(folder);
    expect([...reader.tensors.keys()]).toEqual(['only']);
    await reader.close();
  });

  test.each<[string, unknown, string]>([
    ['a list of weights', ['bias'], '"weight_map": is ["bias"], expected an object of file names'],
    ['a number for a file', { bias: 1 }, '"bias": lies in 1, expected the name of a .safetensors'],
    [
      'a path out of the folder',
      { bias: '../x.safetensors' },
      '"bias": lies in "../x.safetensors"',
    ],
    ['another kind of file', { bias: 'config.json' }, '"bias": lies in "config.json", expected'],
  ])('is refused for %s', async (_, weightMap, reason) => {
    await writeIndex(weightMap);
    await expect(openSafetensors(index())).rejects.toThrow(`${index()}: ${reason}`);
  });

  test('is refused when a file or a tensor of it is missing', async () => {
    await writeIndex({ bias: shards[0], ids: shards[0] });
    await expect(openSafetensors(index())).rejects.toThrow(
      `${join(folder, shards[0]!)}: "ids": is not among the file's 1 tensors`,
    );
    await rm(join(folder, shards[0]!));
    await expect(openSafetensors(index())).rejects.toThrow(
      `${join(folder, shards[0]!)}: cannot be opened: ENOENT`,
    );
  });

  test('is refused when its index is missing, no JSON, or names a weight twice', async () => {
    await expect(openSafetensors(index())).rejects.toThrow(`${index()}: cannot be read: ENOENT`);
    await writeFile(index(), '{');
    await expect(openSafetensors(index())).rejects.toThrow(`${index()}: index is not JSON: `);
    await writeFile(index(), `{"weight_map":{"bias":"${shards[0]}","bias":"${shards[1]}"}}`);
    await expect(openSafetensors(index())).rejects.toThrow(
      `${index()}: "bias": stands twice in the index, expected once`,
    );
  });

  test('a folder without a model is named', async () => {
    await expect(openSafetensors(root)).rejects.toThrow(
      `${root}: holds neither model.safetensors nor model.safetensors.index.json`,
    );
  });
});
