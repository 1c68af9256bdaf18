import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { LocalHub } from '../hub/local-hub.cases.js';
import * as web from '../index.js';
import * as node from '../node.js';

// As transformers 5.23 saves them: a feature extractor alone, and a processor with its tokenizer's.
const sounds = {
  ...{ chunk_length: 30, dither: 0.0, feature_extractor_type: 'WhisperFeatureExtractor' },
  ...{ feature_size: 128, hop_length: 160, n_fft: 400, n_samples: 480_000, nb_max_frames: 3000 },
  ...{ padding_side: 'right', padding_value: 0.0, return_attention_mask: false },
  sampling_rate: 16_000,
};
const pictures = {
  ...{ do_normalize: true, do_rescale: true, do_resize: true, resample: 2 },
  ...{ image_processor_type: 'ViTImageProcessor', size: { height: 30, width: 20 } },
  ...{ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], rescale_factor: 1 / 255 },
};
const logMel = { mels: 128, sampleRate: 16_000, window: 400, hop: 160, seconds: 30 };
const resized = { resize: { height: 30, width: 20 }, resample: 2 };

const bytes = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));
const golden = new URL('../../../parity/goldens/gpt2/', import.meta.url);
const hub = new LocalHub({
  'config.json': new Uint8Array(readFileSync(new URL('config.json', golden))),
  'model.safetensors': new Uint8Array(readFileSync(new URL('model.safetensors', golden))),
  'preprocessor_config.json': bytes(sounds),
  'processor_config.json': bytes({ processor_class: 'SomeProcessor', image_processor: pictures }),
});
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwise-processor-'));
  vi.stubEnv('HF_HOME', join(folder, 'none'));
  vi.stubEnv('HF_HUB_CACHE', '');
  await hub.listen();
  for (const [name, content] of Object.entries(hub.files)) {
    await writeFile(join(folder, name), content);
  }
});
afterAll(async () => {
  hub.close();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

test("a folder's settings are read: a processor's own first, on disk, as files and from an address", async () => {
  const served = (name: string) => {
    const found = hub.files[name];
    return Promise.resolve(
      found ? new Response(found.slice()) : new Response(null, { status: 404 }),
    );
  };
  const chosen = Object.entries(hub.files).map(
    ([name, content]) => new File([content.slice()], name),
  );
  for (const place of [served, chosen]) {
    expect(await web.loadLogMelSettings(place)).toEqual(logMel);
    expect(await web.loadPictureSettings(place)).toMatchObject(resized);
  }
  expect(await node.loadLogMelSettings(folder)).toEqual(logMel);
  expect(await node.loadPictureSettings(folder)).toMatchObject(resized);
});

test("a repository's settings are fetched without its weights, and taken from the cache while offline", async () => {
  const options = { ...hub.options, cacheFolder: folder };
  for (const { loadLogMelSettings, loadPictureSettings } of [web, node]) {
    expect(await loadLogMelSettings('owner/model', options)).toEqual(logMel);
    expect(await loadPictureSettings('owner/model', options)).toMatchObject(resized);
  }
  expect(hub.askedFor('/model.safetensors')).toEqual([]);
  const offline = { ...options, offline: true };
  await expect(node.loadLogMelSettings('owner/model', offline)).rejects.toThrow(
    'owner/model: is not in the cache',
  );
  await node.hubFolder('owner/model', options);
  hub.asked.length = 0;
  expect(await node.loadLogMelSettings('owner/model', offline)).toEqual(logMel);
  expect(await node.loadPictureSettings('owner/model', offline)).toMatchObject(resized);
  expect(hub.asked).toEqual([]);
  await expect(node.loadPictureSettings('owner/missing', options)).rejects.toThrow(
    /owner\/missing: .*; and there is no folder 'owner\/missing'/,
  );
});

test('a folder without settings is refused by the files that it lacks, and bad ones by their key', async () => {
  const file = (name: string, content: unknown) => new File([JSON.stringify(content)], name);
  await expect(node.loadPictureSettings(golden.pathname)).rejects.toThrow(
    /gpt2\/preprocessor_config.json: is missing, and no processor_config.json has 'image_processor'; expected one of them/,
  );
  await expect(
    web.loadLogMelSettings([file('processor_config.json', { image_processor: pictures })]),
  ).rejects.toThrow(
    "preprocessor_config.json: is missing, and no processor_config.json has 'feature_extractor'",
  );
  await expect(
    web.loadLogMelSettings([
      file('processor_config.json', { feature_extractor: { ...sounds, dither: 0.1 } }),
    ]),
  ).rejects.toThrow("processor_config.json: 'feature_extractor': 'dither' is 0.1");
  await expect(web.loadPictureSettings([file('preprocessor_config.json', sounds)])).rejects.toThrow(
    /preprocessor_config.json: /,
  );
});
