import { writeSafetensors } from '@headwise/safetensors';
import { describe, expect, test } from 'vitest';
import { browserCache, createModel, type FetchFile, loadModel } from '../index.js';
import { checkpointTensors } from '../internal.js';

const config = {
  model_type: 'gpt2',
  vocab_size: 11,
  n_positions: 7,
  n_embd: 6,
  n_layer: 1,
  n_head: 3,
};

/** A server that counts what it is asked for. */
async function server(): Promise<{ fetchFile: FetchFile; asked: () => number }> {
  const model = createModel(config);
  const tensors: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
  for (const [key, { shape, data }] of Object.entries(checkpointTensors(model))) {
    tensors[key] = { shape, data: (await data()) as Float32Array };
  }
  model.params.dispose();
  const files: Record<string, Uint8Array> = {
    'config.json': new TextEncoder().encode(JSON.stringify(config)),
    'model.safetensors': writeSafetensors(tensors),
  };
  let asked = 0;
  return {
    asked: () => asked,
    fetchFile: async (file) => {
      asked++;
      const bytes = files[file] as Uint8Array<ArrayBuffer> | undefined;
      return bytes ? new Response(bytes) : new Response(null, { status: 404 });
    },
  };
}

describe.skipIf(!globalThis.caches)("a browser's cache", () => {
  test('keeps what was downloaded, and fetches anew what is not what it was', async () => {
    await caches.delete('test');
    const cache = await browserCache('test');
    const { fetchFile, asked } = await server();
    const first = await loadModel(fetchFile, { cache });
    const after = asked();
    expect(after).toBeGreaterThan(0);
    const second = await loadModel(fetchFile, { cache });
    expect(asked()).toBe(after);

    const store = await caches.open('test');
    for (const request of await store.keys()) {
      const kept = (await store.match(request))!;
      const bytes = new Uint8Array(await kept.arrayBuffer());
      if (bytes.length < 200) continue;
      bytes[bytes.length - 1]! ^= 1;
      await store.put(request, new Response(bytes, { headers: kept.headers }));
    }
    const third = await loadModel(fetchFile, { cache });
    expect(asked()).toBeGreaterThan(after);
    const [a, b, c] = await Promise.all(
      [first, second, third].map(async (model) => {
        const tensors = Object.values(checkpointTensors(model));
        return Promise.all(tensors.map(async ({ data }) => [...((await data()) as Float32Array)]));
      }),
    );
    expect(b).toEqual(a);
    expect(c).toEqual(a);
    for (const model of [first, second, third]) model.params.dispose();
    await caches.delete('test');
  });
});

test.runIf(!globalThis.caches)('where there is no such cache, that is said', async () => {
  await expect(browserCache()).rejects.toThrow("needs a browser's storage");
});
