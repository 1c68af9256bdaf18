import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import type * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { commit, type FileContent, Folder, manifestName, writeFile } from './index.js';

const { life, mortal } = vi.hoisted(() => {
  /** Counts what changes a disk, and lets a process die before one of these changes: none after it has an effect. */
  class Life {
    changes = 0;
    diesBefore = Number.POSITIVE_INFINITY;

    /** Throws once the process is dead. */
    change(): void {
      if (this.changes++ >= this.diesBefore) throw new Error('killed');
    }
  }

  const changing = new Set(['mkdir', 'rename', 'rm', 'rmdir', 'writeFile', 'unlink', 'link', 'cp']);
  const changingHandle = new Set(['write', 'writeFile', 'truncate', 'sync', 'appendFile']);

  /** `node:fs/promises`, with the changes of one life counted; closing a file is what a system does for the dead. */
  function mortal(real: typeof fs, life: Life): typeof fs {
    const wrap = <T extends object>(target: T, names: ReadonlySet<string>): T =>
      new Proxy(target, {
        get(_, name) {
          const value = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            if (names.has(String(name))) life.change();
            // Only a power cut would show the difference, which no test makes.
            if (name === 'sync') return Promise.resolve();
            return Reflect.apply(value, target, args);
          };
        },
      });
    const open = async (...args: Parameters<typeof fs.open>) => {
      // Opening to read changes nothing.
      if (typeof args[1] === 'string' && args[1] !== 'r') life.change();
      return wrap(await real.open(...args), changingHandle);
    };
    const wrapped = wrap({ ...real }, changing);
    return {
      ...Object.fromEntries(Object.keys(real).map((k) => [k, Reflect.get(wrapped, k)])),
      open,
    } as typeof fs;
  }

  return { life: new Life(), mortal };
});
vi.mock('node:fs/promises', async (original) => mortal(await original(), life));

const root = mkdtempSync(join(tmpdir(), 'headwise-files-'));
let runs = 0;
let folder: string;
beforeEach(() => {
  folder = join(root, String(runs++));
  Object.assign(life, { changes: 0, diesBefore: Number.POSITIVE_INFINITY });
});

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

/** Everything that a reader finds, by name. */
async function found(path: string): Promise<Record<string, string | undefined>> {
  const read = await Folder.open(path);
  const names = ['config.json', 'a.bin', 'b.bin', 'c.bin', 'trainer/state', 'trainer/before'];
  const files: Record<string, string | undefined> = {};
  for (const name of names) {
    const held = text(await read.read(name));
    if (held !== undefined) files[name] = held;
  }
  return files;
}

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield new TextEncoder().encode(part);
}

/** What the two commits of the tests write; the second removes, keeps and replaces. */
const first = { 'config.json': '1', 'a.bin': '1', 'b.bin': '1', 'trainer/state': '1' };
const second = (content: (text: string) => FileContent = (text) => text) => ({
  write: {
    'config.json': content('2'),
    'a.bin': content('22'),
    'c.bin': content('2'),
    'trainer/state': content('2'),
  },
  remove: (name: string) => /^[abc]\.bin$/.test(name),
  keep: { 'trainer/state': 'trainer/before' },
});
const afterSecond = {
  'config.json': '2',
  'a.bin': '22',
  'c.bin': '2',
  'trainer/state': '2',
  'trainer/before': '1',
};
const third = {
  write: { 'config.json': '3', 'a.bin': '3', 'trainer/state': '3' },
  remove: (name: string) => name === 'c.bin',
  keep: { 'trainer/state': 'trainer/before' },
};
const afterThird = {
  'config.json': '3',
  'a.bin': '3',
  'trainer/state': '3',
  'trainer/before': '2',
};

describe('a commit', () => {
  test('replaces, removes and keeps, and leaves the files and the manifest alone', async () => {
    await commit(folder, { write: first });
    expect(await found(folder)).toEqual(first);
    await commit(
      folder,
      second((text) => chunks(...text)),
    );
    expect(await found(folder)).toEqual(afterSecond);
    const names = readdirSync(folder).sort();
    expect(names).toEqual(['a.bin', 'c.bin', 'config.json', manifestName, 'trainer']);
    expect(readFileSync(join(folder, 'a.bin'), 'utf8')).toBe('22');
    const { files } = JSON.parse(readFileSync(join(folder, manifestName), 'utf8'));
    // sha256sum of '22'
    expect(files['a.bin']).toEqual({
      bytes: 2,
      sha256: '785f3ec7eb32f30b90cd0fcf3657d388b5ff4297f2f9716ff66e9b69c05ddd09',
    });
  });

  test('killed before any of its changes to the disk, leaves one whole set, and the next one ends', async () => {
    const start = join(folder, 'start');
    await commit(start, { write: first });
    await commit(start, second());
    life.changes = 0;
    const whole = join(folder, 'whole');
    cpSync(start, whole, { recursive: true });
    await commit(whole, third);
    const changes = life.changes;
    expect(changes).toBeGreaterThan(20);
    const seen = new Set<string>();
    for (let k = 0; k < changes; k++) {
      const path = join(folder, `killed-${k}`);
      cpSync(start, path, { recursive: true });
      Object.assign(life, { changes: 0, diesBefore: k });
      await expect(commit(path, third), `change ${k}`).rejects.toThrow('killed');
      life.diesBefore = Number.POSITIVE_INFINITY;
      const files = await found(path);
      expect([afterSecond, afterThird], `killed before change ${k}`).toContainEqual(files);
      seen.add(files['config.json']!);
      await commit(path, { write: { 'config.json': '4' } });
      expect(await found(path)).toEqual({ ...files, 'config.json': '4' });
      expect(readdirSync(path).filter((name) => name.startsWith('.'))).toEqual([]);
    }
    expect(seen).toEqual(new Set(['2', '3']));
  });

  test('killed again while the next one carries it out, is still whole', async () => {
    const start = join(folder, 'start');
    await commit(start, { write: first });
    life.changes = 0;
    const counted = join(folder, 'counted');
    cpSync(start, counted, { recursive: true });
    await commit(counted, second());
    const changes = life.changes;
    let random = 1;
    const draw = (n: number) => {
      random = (random * 48271) % 2147483647;
      return random % n;
    };
    for (let i = 0; i < 30; i++) {
      const path = join(folder, `twice-${i}`);
      cpSync(start, path, { recursive: true });
      for (const change of [second(), third]) {
        Object.assign(life, { changes: 0, diesBefore: draw(changes + 8) });
        await commit(path, change).catch(() => {});
        life.diesBefore = Number.POSITIVE_INFINITY;
        expect(
          [first, afterSecond, afterThird, { ...afterThird, 'b.bin': '1', 'trainer/before': '1' }],
          `run ${i}`,
        ).toContainEqual(await found(path));
      }
    }
  });

  test('that fails leaves the last one as it was, and nothing beside it', async () => {
    await commit(folder, { write: first });
    const before = readdirSync(folder).sort();
    const failing = async function* () {
      yield new Uint8Array(3);
      throw new Error('lost');
    };
    const change = { write: { 'config.json': 'new', 'a.bin': failing() } };
    await expect(commit(folder, change)).rejects.toThrow('lost');
    expect(await found(folder)).toEqual(first);
    expect(readdirSync(folder).sort()).toEqual(before);
    mkdirSync(join(folder, 'd'));
    await expect(commit(folder, { write: { 'a.bin': 'x', d: 'x' } })).rejects.toThrow(
      `${join(folder, 'd')}: cannot be written: it is a folder`,
    );
    for (const name of ['../a', 'x/../../a', '/a', 'a\\b', '', 'a//b']) {
      await expect(commit(folder, { write: { [name]: 'x' } })).rejects.toThrow('leads out');
    }
    expect(await found(folder)).toEqual(first);
  });

  test('waits for another one in the same folder', async () => {
    const many = Array.from({ length: 8 }, (_, i) => i);
    await Promise.all(
      many.map((i) => commit(folder, { write: { [`${i}`]: `${i}`, all: `${i}` } })),
    );
    const read = await Folder.open(folder);
    for (const i of many) expect(text(await read.read(`${i}`))).toBe(`${i}`);
    expect(many.map(String)).toContain(text(await read.read('all')));
  });

  test('takes no part of the folder that is not its own', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'manifest.json'), 'of a web app');
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await commit(folder, { write: first });
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
    expect((await (await Folder.open(folder)).names()).sort()).toEqual(Object.keys(first).sort());
    expect(text(await (await Folder.open(folder)).read('notes.txt'))).toBe('mine');
  });
});

describe('a single file', () => {
  test('is written whole, and belongs to its folder where that has a manifest', async () => {
    mkdirSync(folder);
    await writeFile(join(folder, 'a.bin'), 'alone');
    expect(readdirSync(folder)).toEqual(['a.bin']);
    await commit(folder, { write: first });
    await writeFile(join(folder, 'a.bin'), 'changed');
    expect(await found(folder)).toEqual({ ...first, 'a.bin': 'changed' });
    await expect(writeFile(join(folder, 'no', 'a.bin'), 'x')).rejects.toThrow(
      'no/a.bin: cannot be written: ENOENT',
    );
  });
});

describe('a file that differs from what was saved', () => {
  test('is named: flipped bits, another length, a missing file', async () => {
    await commit(folder, { write: first });
    const read = async () => (await Folder.open(folder)).read('a.bin');
    writeFileSync(join(folder, 'a.bin'), '0');
    await expect(read()).rejects.toThrow(
      `${join(folder, 'a.bin')}: has the SHA-256 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9; ` +
        '6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b was saved. It was damaged, or changed by another program',
    );
    writeFileSync(join(folder, 'a.bin'), '11');
    await expect(read()).rejects.toThrow('has 2 bytes; 1 were saved');
    cpSync(join(folder, 'b.bin'), join(folder, 'a.bin'));
    expect(text(await read())).toBe('1');
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    cpSync(join(folder, manifestName), join(elsewhere, manifestName));
    await expect((await Folder.open(elsewhere)).read('a.bin')).rejects.toThrow(
      'is missing, though it was saved',
    );
  });

  test('flipping any bit of the manifest never yields wrong bytes', async () => {
    await commit(folder, { write: first });
    const path = join(folder, manifestName);
    const bytes = readFileSync(path);
    for (let i = 0; i < bytes.length; i += 3) {
      const flipped = Buffer.from(bytes);
      flipped[i]! ^= 1 << (i % 8);
      writeFileSync(path, flipped);
      const files = await found(folder).catch(() => first);
      for (const [name, held] of Object.entries(files))
        expect(held).toBe(first[name as keyof typeof first]);
    }
    writeFileSync(path, '{"format": "headwise-manifest-1", "files": {"../x": {}}}');
    await expect(Folder.open(folder)).rejects.toThrow(`${path}: is damaged or of another kind`);
  });

  test('saved anew while it is read, is not mistaken for damage', async () => {
    await commit(folder, { write: first });
    const read = await Folder.open(folder);
    await commit(folder, second());
    await expect(read.read('a.bin')).rejects.toThrow('was saved anew while the folder was read');
    await expect(read.read('b.bin')).rejects.toThrow('was saved anew while the folder was read');
  });
});

test('a folder without a manifest is read as it is', async () => {
  mkdirSync(join(folder, 'below'), { recursive: true });
  writeFileSync(join(folder, 'a.bin'), 'x');
  writeFileSync(join(folder, 'below', 'b'), 'y');
  const read = await Folder.open(folder);
  expect(read.commitId).toBeUndefined();
  expect((await read.names()).sort()).toEqual(['a.bin', 'below/b']);
  expect(text(await read.read('a.bin'))).toBe('x');
  expect(await read.read('c.bin')).toBeUndefined();
  expect(existsSync(join(folder, manifestName))).toBe(false);
});
