import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type GgufMetadata, streamGguf } from '@headwise/gguf';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ggufModel } from '../gguf/gguf-model.js';
import { loadModel as loadFromWeb } from '../index.js';
import { checkpointTensors } from '../internal.js';
import type { Model } from '../model.js';
import { hubFile, hubFolder, loadModel } from '../node.js';
import { commit, LocalHub } from './local-hub.cases.js';

const golden = new URL('../../../parity/goldens/gpt2/', import.meta.url).pathname;
const inGolden = (name: string) => new Uint8Array(readFileSync(join(golden, name)));
const weights = inGolden('model.safetensors');
const files: Record<string, Uint8Array> = {
  'config.json': inGolden('config.json'),
  'tokenizer_config.json': new TextEncoder().encode('{}'),
  'model.safetensors': weights,
  'pytorch_model.bin': new Uint8Array(100),
  'onnx/model.json': new TextEncoder().encode('{}'),
};

const hub = new LocalHub(files);
let cacheFolder: string;

beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'headwise-hub-'));
  // Nothing of the caches of the person who runs this.
  vi.stubEnv('HF_HOME', join(cacheFolder, 'none'));
  vi.stubEnv('HF_HUB_CACHE', '');
  await hub.listen();
  hub.asked.length = 0;
  hub.behaviour = {};
});
afterEach(async () => {
  hub.close();
  vi.unstubAllEnvs();
  await rm(cacheFolder, { recursive: true, force: true });
});

const options = () => ({ ...hub.options, cacheFolder });
const folderOf = (repository = 'owner/model', more = {}) =>
  hubFolder(repository, { ...options(), ...more });

async function valuesOf(model: Model): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {};
  for (const [key, { data }] of Object.entries(checkpointTensors(model))) {
    found[key] = Array.from((await data()) as Float32Array);
  }
  model.params.dispose();
  return found;
}

describe('a repository of a hub', () => {
  for (const [where, load] of [
    ['read piece by piece', loadFromWeb],
    ['downloaded to a folder', loadModel],
  ] as const) {
    test(`${where} is the model of its folder, at one commit, and its token stays with the hub`, async () => {
      const expected = await valuesOf(await loadModel(golden));
      const given = { ...options(), token: hub.token, revision: 'refs/pr/1' };
      expect(await valuesOf(await load('owner/closed', given))).toEqual(expected);
      const [listing, ...others] = hub.asked.filter(({ host }) => host === 'hub');
      expect(listing!.path).toBe('/api/models/owner/closed/revision/refs%2Fpr%2F1?blobs=true');
      for (const { path, authorization } of others) {
        expect(path).toContain(`/owner/closed/resolve/${commit}/`);
        expect(authorization).toBe(`Bearer ${hub.token}`);
      }
      const contents = hub.asked.filter(({ host }) => host === 'content');
      expect(contents.length).toBeGreaterThan(0);
      expect(contents.map(({ authorization }) => authorization)).toEqual(
        contents.map(() => undefined),
      );
    });

    test(`${where} is refused before its weights are fetched where it does not fit into memory`, async () => {
      await expect(load('owner/model', { ...options(), memoryLimit: 1000 })).rejects.toThrow(
        /the model has 13052 parameters, 52.2 kB \(\d+ bytes\) in float32; available: 1.00 kB \(1000 bytes\)/,
      );
      if (load === loadModel) expect(hub.askedFor('model.safetensors')).toEqual([]);
    });
  }

  test('is downloaded without what no model is read from, and once', async () => {
    const folder = await folderOf();
    expect(readdirSync(folder).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer_config.json',
    ]);
    for (const name of readdirSync(folder)) {
      expect(Buffer.compare(await readFile(join(folder, name)), files[name]!), name).toBe(0);
    }
    hub.asked.length = 0;
    expect(await folderOf()).toBe(folder);
    expect(hub.asked.map(({ path }) => path)).toEqual([
      '/api/models/owner/model/revision/main?blobs=true',
    ]);
    hub.asked.length = 0;
    for (const revision of ['main', commit]) {
      expect(await folderOf('owner/model', { offline: true, revision })).toBe(folder);
    }
    expect(hub.asked).toEqual([]);
    await expect(folderOf('owner/model', { offline: true, revision: 'v2' })).rejects.toThrow(
      "owner/model: is not in the cache at revision 'v2', and nobody is asked while offline",
    );
  });

  test('tells how far its download has come', async () => {
    const seen: number[] = [];
    let total = 0;
    const onDownload = ({
      loadedBytes,
      totalBytes,
    }: {
      loadedBytes: number;
      totalBytes: number;
    }) => {
      seen.push(loadedBytes);
      total = totalBytes;
    };
    await folderOf('owner/model', { onDownload });
    expect(total).toBe(files['config.json']!.length + 2 + weights.length);
    expect(seen.at(-1)).toBe(total);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test('is taken from the cache of other programs where that holds it whole', async () => {
    const theirs = join(cacheFolder, 'theirs', 'hub', 'models--owner--model');
    const snapshot = join(theirs, 'snapshots', commit);
    await mkdir(snapshot, { recursive: true });
    await mkdir(join(theirs, 'blobs'));
    await mkdir(join(theirs, 'refs'));
    await writeFile(join(theirs, 'refs', 'main'), commit);
    for (const name of ['config.json', 'tokenizer_config.json', 'model.safetensors']) {
      await writeFile(join(theirs, 'blobs', name), files[name]!);
      await symlink(join('..', '..', 'blobs', name), join(snapshot, name));
    }
    vi.stubEnv('HF_HOME', join(cacheFolder, 'theirs'));
    expect(await folderOf()).toBe(snapshot);
    expect(hub.askedFor('model.safetensors')).toEqual([]);
    expect(await folderOf('owner/model', { offline: true })).toBe(snapshot);
    (await loadModel('owner/model', options())).params.dispose();
    await rm(theirs, { recursive: true });
    await expect(folderOf('owner/model', { offline: true })).rejects.toThrow('is not in the cache');
    await mkdir(snapshot, { recursive: true });
    await writeFile(join(snapshot, 'config.json'), files['config.json']!);
    expect(await folderOf()).not.toBe(snapshot);
  });
});

describe('a download', () => {
  const asked = () => hub.askedFor('/model.safetensors').filter(({ host }) => host === 'content');
  const begins = () => asked().map(({ range }) => Number(/=(\d+)-/.exec(range!)![1]));

  test('goes on where each connection broke', async () => {
    hub.behaviour = { cutAfter: Math.ceil(weights.length / 3) };
    const folder = await folderOf();
    expect(Buffer.compare(await readFile(join(folder, 'model.safetensors')), weights)).toBe(0);
    expect(begins()[0]).toBe(0);
    expect(begins().length).toBeGreaterThan(2);
    expect(begins()).toEqual([...new Set(begins())].sort((a, b) => a - b));
  });

  test('that was stopped goes on the next time', async () => {
    const stop = new AbortController();
    hub.behaviour = { cutAfter: 5000 };
    const onDownload = ({ file, loadedBytes }: { file: string; loadedBytes: number }) => {
      if (file === 'model.safetensors' && loadedBytes > 7000) stop.abort(new Error('stopped'));
    };
    await expect(folderOf('owner/model', { signal: stop.signal, onDownload })).rejects.toThrow();
    const part = join(cacheFolder, new URL(hub.endpoint).host.replace(':', '_'));
    const kept = (await stat(join(part, 'owner--model', commit, 'model.safetensors.part'))).size;
    expect(kept).toBeGreaterThanOrEqual(5000);
    hub.asked.length = 0;
    hub.behaviour = {};
    const folder = await folderOf();
    expect(begins()).toEqual([kept]);
    expect(Buffer.compare(await readFile(join(folder, 'model.safetensors')), weights)).toBe(0);
  });

  test('from a server that gives no parts begins anew', async () => {
    const stop = new AbortController();
    hub.behaviour = { cutAfter: 5000 };
    const onDownload = ({ file }: { file: string }) => {
      if (file === 'model.safetensors') stop.abort(new Error('stopped'));
    };
    await expect(folderOf('owner/model', { signal: stop.signal, onDownload })).rejects.toThrow();
    hub.behaviour = { whole: true };
    const folder = await folderOf();
    expect(Buffer.compare(await readFile(join(folder, 'model.safetensors')), weights)).toBe(0);
  });

  test('of another file than the one listed is refused and not kept', async () => {
    hub.behaviour = {
      listing: ({ sha, siblings: [config, ...rest] }) => ({
        sha,
        siblings: [{ ...config, blobId: '1'.repeat(40) }, ...rest],
      }),
    };
    await expect(folderOf()).rejects.toThrow(/config\.json: has the SHA-1 \w+, expected 1111/);
    const other = weights.slice();
    other[other.length - 1]! ^= 1;
    hub.behaviour = { content: other };
    await expect(folderOf()).rejects.toThrow(
      /model\.safetensors: has the SHA-256 \w+, expected \w+/,
    );
    hub.behaviour = { content: weights.subarray(0, 1000) };
    await expect(folderOf()).rejects.toThrow(
      /has changed: the server gives 'bytes 0-999\/1000', expected the bytes from 0 of \d+/,
    );
    hub.behaviour = {};
    await folderOf();
  });

  for (const [status, message] of [
    [416, /model\.safetensors: the server has no bytes from 0 on \(416\), the hub lists \d+/],
    [404, /owner\/model: the hub has no '\/owner\/model\/resolve\/\w+\/model\.safetensors'/],
    [403, /owner\/model: there is no such repository, or it needs a token \(the hub answers 403\)/],
  ] as const) {
    test(`that is answered with ${status} says so`, async () => {
      hub.behaviour = { status };
      await expect(folderOf()).rejects.toThrow(message);
    });
  }
});

describe('a hub that is not to be trusted', () => {
  test('may not send us on to another host, nor to one without encryption', async () => {
    const { endpoint } = hub;
    for (const [location, message] of [
      [
        'https://models.example/x',
        `is redirected to 'https://models.example', which is of the host 'models.example'; expected the hub's, '${endpoint.slice(7)}', or the content hosts localhost`,
      ],
      [
        'http://models.example/x',
        "is redirected to 'http://models.example', which is of http; expected https",
      ],
      ['file:///etc/passwd', 'which is of file; expected https'],
    ] as const) {
      hub.behaviour = { location };
      for (const load of [loadFromWeb, loadModel]) {
        await expect(load('owner/model', { ...options(), token: 'x' })).rejects.toThrow(message);
      }
    }
    hub.behaviour = { location: `${endpoint}/owner/model/resolve/main/model.safetensors` };
    await expect(folderOf()).rejects.toThrow('is redirected more than 5 times');
  });

  test('may not name files outside its repository', async () => {
    for (const rfilename of ['../x.json', '/x.json', 'a/../../x', 'C:\\x', 'a//b', '.']) {
      hub.behaviour = { listing: ({ sha }) => ({ sha, siblings: [{ rfilename, size: 1 }] }) };
      await expect(folderOf()).rejects.toThrow(
        `'siblings[0].rfilename' is ${JSON.stringify(rfilename)}; expected a path within the repository`,
      );
    }
    hub.behaviour = { listing: () => ({ sha: '../..', siblings: [] }) };
    await expect(folderOf()).rejects.toThrow('\'sha\' is "../.."; expected a commit');
  });

  test('is asked over https only, but for a test on this machine', async () => {
    await expect(hubFolder('owner/model', { endpoint: hub.endpoint })).rejects.toThrow(
      `endpoint '${hub.endpoint}' is of http; expected https`,
    );
    const endpoint = 'http://models.example';
    await expect(hubFolder('owner/model', { ...options(), endpoint })).rejects.toThrow(
      'is of http; expected https',
    );
    await expect(hubFolder('../model', options())).rejects.toThrow("expected 'owner/name'");
    await expect(folderOf('owner/model', { revision: '..' })).rejects.toThrow("revision is '..'");
  });
});

test('what a hub refuses is said with what to do', async () => {
  await expect(folderOf('owner/missing')).rejects.toThrow(
    'owner/missing: there is no such repository, or it needs a token (the hub answers 401)',
  );
  await expect(folderOf('owner/closed', { token: 'wrong' })).rejects.toThrow(
    'owner/closed: the hub refuses the token, or has no such repository (it answers 401)',
  );
  await expect(folderOf('owner/gated')).rejects.toThrow('owner/gated: is open to those only who');
  await expect(folderOf('owner/model', { revision: 'v9' })).rejects.toThrow(
    "owner/model: has no revision 'v9'",
  );
});

describe('a GGUF file of a repository', async () => {
  const file = 'packed/model-f16.gguf';
  const place = `owner/model/${file}`;
  const { metadata, tensors } = ggufModel(await loadModel(golden), 'f16');
  const written = async (more: GgufMetadata = {}) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of streamGguf({ ...metadata, ...more }, tensors)) chunks.push(chunk);
    return new Uint8Array(Buffer.concat(chunks));
  };
  const bytes = await written();
  const asked = () => hub.askedFor(`/${file}`).filter(({ host }) => host === 'content');
  beforeEach(() => {
    hub.files = { ...files, [file]: bytes };
  });
  afterEach(() => {
    hub.files = files;
  });

  test('is the model of the file, in Node from its cache and in a page piece by piece', async () => {
    const expected = await valuesOf(await loadFromWeb([new File([bytes], 'model.gguf')]));
    expect(await valuesOf(await loadFromWeb(place, options()))).toEqual(expected);
    expect(await valuesOf(await loadModel(place, options()))).toEqual(expected);
    const path = await hubFile(place, options());
    expect(await hubFile(place, { ...options(), offline: true })).toBe(path);
    expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
    // Nothing else of the repository was downloaded, and the file only once.
    expect(readdirSync(join(dirname(path), '..'))).toEqual(['packed']);
    hub.asked.length = 0;
    expect(await valuesOf(await loadModel(place, options()))).toEqual(expected);
    expect(asked()).toEqual([]);
  });

  test('is refused before it is downloaded where it does not fit into memory, by the bytes that it keeps packed', async () => {
    const [fits, small] = [bytes.length, 20_000];
    const limited = (memoryLimit: number) => loadModel(place, { ...options(), memoryLimit });
    await expect(limited(small)).rejects.toThrow(
      `the model has 13052 parameters, ${(fits / 1000).toFixed(1)} kB (${fits} bytes) at`,
    );
    expect(
      readdirSync(cacheFolder, { recursive: true }).filter((name) => /gguf/.test(`${name}`)),
    ).toEqual([]);
    (await limited(2 * fits)).params.dispose();
  });

  test('of another name, in parts, or not named is refused with what there is', async () => {
    await expect(loadModel('owner/model/other.gguf', options())).rejects.toThrow(
      `owner/model: the hub has no 'other.gguf' in it; it has ${file}; and there is no file 'owner/model/other.gguf'`,
    );
    await expect(hubFile('owner/model', options())).rejects.toThrow(
      "'owner/model' is not a GGUF file of a repository; expected 'owner/name/FILE.gguf'",
    );
    await expect(hubFile(place, { ...options(), offline: true })).rejects.toThrow(
      `${place}: is not in the cache at revision 'main'`,
    );
    hub.files = { [file]: bytes };
    await expect(folderOf()).rejects.toThrow(
      `owner/model: has no model.safetensors; a GGUF file is read by its name, as in '${place}'; it has ${file}`,
    );
    hub.files = { [file]: await written({ 'split.count': ['u32', 3] }) };
    await expect(loadModel(place, options())).rejects.toThrow(
      "is one of 3 parts of a model ('split.count'); expected one file",
    );
  });
});

test('a repository of pickles alone is refused by name', async () => {
  hub.behaviour = {
    listing: ({ sha, siblings }) => ({
      sha,
      siblings: siblings.filter((file) => !/safetensors/.test(JSON.stringify(file))),
    }),
  };
  await expect(folderOf()).rejects.toThrow(
    'owner/model: has no model.safetensors; its pytorch_model.bin is a Python pickle',
  );
});
