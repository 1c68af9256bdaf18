import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { streamGguf } from '@headwise/gguf';
import { SafetensorsError } from '@headwise/safetensors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ggufModel } from '../gguf/gguf-model.js';
import { type CheckpointCache, loadModel } from '../index.js';
import { checkpointTensors } from '../internal.js';
import { PIECE_BYTES, piecesSource } from './pieces.js';
import { webFile } from './web.js';

const folder = new URL('../../../parity/goldens/gpt2/', import.meta.url).pathname;
const fileOf = (name: string) => readFileSync(join(folder, name));
const large = new Uint8Array(2 * PIECE_BYTES + 1000).map((_, i) => (i * 7 + (i >> 12)) % 256);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Bytes after which a connection breaks. */
const BROKEN = 3 * 2 ** 20;

const asked: string[] = [];
let base: string;
let gguf: Uint8Array;

function answer({ url, headers }: IncomingMessage, response: ServerResponse): void {
  const [, mode, name] = /^\/(\w+)\/([^?]+)/.exec(url!) ?? [];
  asked.push(`${name} ${headers.range ?? ''}`);
  const bytes =
    name === 'large.bin'
      ? large
      : name === 'a.gguf'
        ? gguf
        : /^(config\.json|model\.safetensors)$/.test(name!) && fileOf(name!);
  if (!bytes) return void response.writeHead(404).end();
  if (mode === 'closed') return void response.writeHead(403).end();
  const [, begin, end] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? [];
  if (mode === 'whole' || begin === undefined) return void response.end(bytes);
  const last = Math.min(Number(end), bytes.length - 1);
  const later = begin !== '0';
  const total = bytes.length + (mode === 'grown' && later ? 1 : 0);
  const etag = mode === 'edited' && later ? '"2"' : '"1"';
  response.writeHead(206, {
    'content-range': `bytes ${begin}-${last}/${total}`,
    ...(mode === 'short' ? {} : { 'content-length': last + 1 - Number(begin) }),
    etag,
  });
  if (mode === 'broken' && last + 1 - Number(begin) > BROKEN) {
    const part = bytes.subarray(Number(begin), Number(begin) + BROKEN);
    response.write(part, () => response.destroy());
    return;
  }
  // A server that breaks off after the first piece.
  const short = mode === 'short' && begin !== '0';
  response.end(bytes.subarray(Number(begin), short ? Number(begin) + 5 : last + 1));
}

const server = createServer(answer);
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** A cache in memory, that can be spoilt. */
class MemoryCache implements CheckpointCache {
  readonly sizes = new Map<string, number>();
  readonly pieces = new Map<string, Uint8Array>();
  size = async (file: string) => this.sizes.get(file);
  setSize = async (file: string, bytes: number) => void this.sizes.set(file, bytes);
  piece = async (file: string, index: number) => this.pieces.get(`${file} ${index}`);
  setPiece = async (file: string, index: number, bytes: Uint8Array) =>
    void this.pieces.set(`${file} ${index}`, bytes);
  async delete(file: string) {
    this.sizes.delete(file);
    for (const key of this.pieces.keys()) if (key.startsWith(`${file} `)) this.pieces.delete(key);
  }
}

const largeFile = (mode: string, options: Parameters<typeof webFile>[3] = {}) =>
  webFile((_, init) => fetch(`${base}/${mode}/large.bin`, init), 'large.bin', 'large.bin', options);

describe('a checkpoint on the web', () => {
  test.each(['parts', 'whole'])('may be a GGUF file, of a server that gives %s', async (mode) => {
    const own = await loadModel(`${base}/parts`);
    const { metadata, tensors } = ggufModel(own, 'f32');
    const chunks: Uint8Array[] = [];
    for await (const chunk of streamGguf(metadata, tensors)) chunks.push(chunk);
    gguf = new Uint8Array(Buffer.concat(chunks));
    asked.length = 0;
    const model = await loadModel(`${base}/${mode}/a.gguf?token=1`);
    expect(asked.every((one) => one.startsWith('a.gguf bytes='))).toBe(true);
    const [expected, actual] = [own, model].map(({ params }) => params.named());
    for (const [path, variable] of Object.entries(expected!)) {
      expect(await actual![path]!.data(), path).toEqual(await variable.data());
    }
    await expect(loadModel(`${base}/${mode}/b.gguf`)).rejects.toThrow('b.gguf: is missing');
    for (const { params } of [own, model]) params.dispose();
  });

  for (const mode of ['parts', 'whole']) {
    test(`is loaded from a server that gives ${mode}`, async () => {
      const model = await loadModel(`${base}/${mode}`);
      for (const [key, { data }] of Object.entries(checkpointTensors(model))) {
        const values = (await data()) as Float32Array;
        expect(values.every(Number.isFinite), key).toBe(true);
      }
      expect(model.unusedKeys).toEqual([]);
      model.params.dispose();
    });
  }

  test('a function that fetches files is as good as an address', async () => {
    const names: string[] = [];
    const model = await loadModel((file, init) => {
      names.push(file);
      return fetch(`${base}/parts/${file}?token=x`, init);
    });
    expect(new Set(names)).toEqual(new Set(['config.json', 'model.safetensors']));
    model.params.dispose();
  });

  test('what the server lacks or refuses is named with its address', async () => {
    await expect(loadModel(`${base}/closed`)).rejects.toThrow(
      `${base}/closed/config.json: cannot be fetched: the server answers 403`,
    );
    await expect(loadModel(`${base}/parts/nowhere`)).rejects.toThrow(
      `${base}/parts/nowhere/config.json: is missing`,
    );
    await expect(loadModel('http://127.0.0.1:9')).rejects.toThrow(
      /config\.json: cannot be fetched/,
    );
    await expect(loadModel('./models/gpt2')).rejects.toThrow(
      "'./models/gpt2' is not an address on the web",
    );
    await expect(loadModel('file:///etc')).rejects.toThrow('expected one of http or https');
  });
});

describe('a large file', () => {
  for (const mode of ['parts', 'whole']) {
    test(`is read in any place, across pieces, where the server gives ${mode}`, async () => {
      const source = (await largeFile(mode))!;
      expect(source.size).toBe(large.length);
      for (const [at, length] of [
        [0, 8],
        [PIECE_BYTES - 3, 7],
        [10, 2 * PIECE_BYTES],
        [large.length - 5, 5],
      ] as const) {
        const into = new Uint8Array(length);
        await source.read(at, into);
        expect(Buffer.compare(into, large.subarray(at, at + length)), `${at}`).toBe(0);
      }
      await expect(source.read(large.length - 5, new Uint8Array(6))).rejects.toThrow(
        `ends at byte ${large.length}, expected ${large.length + 1}`,
      );
    });
  }

  test('each piece is fetched once, and the next time not at all', async () => {
    const cache = new MemoryCache();
    asked.length = 0;
    for (let round = 0; round < 2; round++) {
      const source = (await largeFile('parts', { cache }))!;
      const into = new Uint8Array(large.length);
      await source.read(0, into);
      expect(Buffer.compare(into, large)).toBe(0);
      await source.close();
    }
    expect(asked.map((line) => line.split('=')[1])).toEqual([
      `0-${PIECE_BYTES - 1}`,
      `${PIECE_BYTES}-${2 * PIECE_BYTES - 1}`,
      `${2 * PIECE_BYTES}-${3 * PIECE_BYTES - 1}`,
    ]);
  });

  test('a piece that is shorter than it should be is refused', async () => {
    const source = (await largeFile('short'))!;
    await source.read(0, new Uint8Array(100));
    await expect(source.read(PIECE_BYTES, new Uint8Array(100))).rejects.toThrow(
      `large.bin: the server gave 20 bytes from byte ${PIECE_BYTES} on, expected ${PIECE_BYTES}`,
    );
  });

  test('whose connection breaks again and again is read to its end', async () => {
    asked.length = 0;
    const source = (await largeFile('broken'))!;
    const into = new Uint8Array(large.length);
    await source.read(0, into);
    expect(Buffer.compare(into, large)).toBe(0);
    const begins = asked.map((line) => Number(/=(\d+)-/.exec(line)![1]));
    // No byte is asked for twice.
    expect(begins.length).toBe(Math.ceil(PIECE_BYTES / BROKEN) * 2 + 1);
    expect(new Set(begins).size).toBe(begins.length);
  });

  test('that changes while it is read is refused', async () => {
    for (const [mode, reason] of [
      [
        'grown',
        `it has ${large.length + 1} bytes and the ETag "1", expected ${large.length} bytes and "1"`,
      ],
      [
        'edited',
        `it has ${large.length} bytes and the ETag "2", expected ${large.length} bytes and "1"`,
      ],
    ] as const) {
      const source = (await largeFile(mode))!;
      await source.read(0, new Uint8Array(100));
      await expect(source.read(PIECE_BYTES, new Uint8Array(100))).rejects.toThrow(
        `large.bin: has changed while it was read: ${reason}`,
      );
    }
  });

  test('is compared with the hash that it must have, also where parts of it are skipped', async () => {
    for (const cache of [undefined, new MemoryCache()]) {
      const options = cache ? { cache } : {};
      const good = (await largeFile('parts', {
        ...options,
        integrity: { 'large.bin': sha256(large) },
      }))!;
      await good.read(PIECE_BYTES + 5, new Uint8Array(10));
      await good.finish!();
      const integrity = { 'large.bin': '00'.repeat(32) };
      const bad = (await largeFile('parts', { ...options, integrity }))!;
      await bad.read(0, new Uint8Array(10));
      await expect(bad.finish!()).rejects.toThrow(
        new SafetensorsError(
          'large.bin',
          undefined,
          `has the SHA-256 ${sha256(large)}, expected ${'00'.repeat(32)}`,
        ),
      );
      expect(cache?.pieces.size ?? 0).toBe(0);
    }
  }, 60_000);

  test('never has more than a few pieces in memory', async () => {
    let fetched = 0;
    const weak: WeakRef<Uint8Array>[] = [];
    const source = piecesSource({
      name: 'x',
      size: 20 * PIECE_BYTES,
      sha256: undefined,
      cache: undefined,
      fetchPiece: async (_, length) => {
        fetched++;
        const bytes = new Uint8Array(length);
        weak.push(new WeakRef(bytes));
        return bytes;
      },
    });
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    for (let at = 0; at < 20 * PIECE_BYTES; at += PIECE_BYTES) {
      await source.read(at, new Uint8Array(16));
      globalThis.gc?.();
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }
    expect(fetched).toBe(20);
    if (globalThis.gc) expect(peak).toBeLessThan(5 * PIECE_BYTES);
  });
});

test('a hash that a model does not have leaves no model', async () => {
  const integrity = { 'model.safetensors': sha256(fileOf('model.safetensors')) };
  const good = await loadModel(`${base}/parts`, { integrity });
  good.params.dispose();
  const wrong = { 'model.safetensors': sha256(fileOf('config.json')) };
  await expect(loadModel(`${base}/parts`, { integrity: wrong })).rejects.toThrow(
    /SHA-256 .*expected/,
  );
});
