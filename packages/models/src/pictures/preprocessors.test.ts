import { readFileSync } from 'node:fs';
import { readSafetensors } from '@headwise/safetensors';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { preparePictures } from './prepare.js';
import { pictureSettings } from './settings.js';

const golden = readSafetensors(
  readFileSync(new URL('./goldens/preprocessors.safetensors', import.meta.url)),
);
const names = [...golden.tensors.keys()]
  .filter((key) => key.endsWith('.given'))
  .map((key) => key.replace('.given', ''));

test.each(names)(
  "%s: pictures are prepared as transformers' processors prepare them",
  async (name) => {
    const settings = pictureSettings(JSON.parse(golden.metadata[name]!));
    const given = golden.get(`${name}.given`);
    const [height, width] = given.shape as [number, number];
    const expected = golden.get(`${name}.expected`);
    const made = preparePictures([{ data: given.data as Uint8Array, height, width }], settings);
    expect(made.shape).toEqual([1, ...expected.shape.slice(-3)]);
    const values = (await made.data()) as Float32Array;
    const right = expected.data as Float32Array;
    // A byte that is off by one would differ by 0.0078; float32 and float64 differ in the last bits alone.
    const worst = values.reduce((most, x, i) => Math.max(most, Math.abs(x - right[i]!)), 0);
    const off = values.reduce((sum, x, i) => sum + Math.abs(x - right[i]!), 0) / right.length;
    if (name === 'vit-much-lower') {
      // One axis after the other in another order, in values of 2 / 255 a byte.
      expect(worst).toBeLessThan((4 * 2) / 255);
      expect(off).toBeLessThan((0.5 * 2) / 255);
    } else expect(worst).toBeLessThan(Math.max(...right.map(Math.abs)) * 3e-7);
    made.dispose();
  },
);

test('grey is repeated, opacity is left out, and pictures of one size make a batch', async () => {
  const before = tf.memory().numTensors;
  const grey = { data: Uint8Array.of(0, 255), height: 1, width: 2 };
  const clear = { data: Uint8ClampedArray.of(10, 20, 30, 0, 40, 50, 60, 255), height: 1, width: 2 };
  const made = preparePictures([grey, clear], {});
  expect(await made.array()).toEqual([
    [
      [
        [0, 0, 0],
        [255, 255, 255],
      ],
    ],
    [
      [
        [10, 20, 30],
        [40, 50, 60],
      ],
    ],
  ]);
  made.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('settings: kinds, first spellings, and what a file says of nothing', () => {
  expect(pictureSettings({ image_processor_type: 'ViTImageProcessorFast' })).toEqual({
    ...{ resize: { height: 224, width: 224 }, resample: 2, rescale: 1 / 255 },
    normalize: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  });
  expect(
    pictureSettings({ feature_extractor_type: 'CLIPFeatureExtractor', size: 30, crop_size: 20 }),
  ).toMatchObject({ resize: { shortest: 30 }, resample: 3, crop: { height: 20, width: 20 } });
  expect(
    pictureSettings({
      ...{
        feature_extractor_type: 'ViTFeatureExtractor',
        size: 30,
        image_mean: null,
        do_normalize: false,
      },
      ...{ do_rescale: false, do_resize: false },
    }),
  ).toEqual({});
});

test.each([
  [{}, /'feature_extractor_type' is missing/],
  [{ image_processor_type: 'SwinImageProcessor' }, /'image_processor_type' is "Swin/],
  [{ image_processor_type: 'ViTImageProcessor', do_pad: true }, /'do_pad' is true/],
  [{ image_processor_type: 'ViTImageProcessor', resample: 6 }, /'resample' is 6/],
  [{ image_processor_type: 'ViTImageProcessor', size: { longest_edge: 3 } }, /'size/],
  [{ image_processor_type: 'ViTImageProcessor', image_mean: [1, 2] }, /'image_mean' is \[1,2\]/],
  [
    { image_processor_type: 'ViTImageProcessor', rescale_offset: 1 },
    /unknown key 'rescale_offset'/,
  ],
])('%o is refused by name', (file, message) => {
  expect(() => pictureSettings(file)).toThrow(message);
});

test('pictures that are none, or not of one size, are refused by name', () => {
  const one = { data: new Uint8Array(6), height: 1, width: 2 };
  expect(() => preparePictures([], {})).toThrow('no pictures are given');
  expect(() => preparePictures([{ ...one, width: 4 }], {})).toThrow(
    'picture 0 has 6 bytes; expected 1 by 4 pixels of 1, 3 or 4',
  );
  expect(() => preparePictures([one, { ...one, height: 2, width: 1 }], {})).toThrow(
    'picture 1 comes out 2 by 1, picture 0 1 by 2; expected one size',
  );
});
