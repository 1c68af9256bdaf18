import { readFileSync } from 'node:fs';
import { readTensor } from '@headwise/core';
import { readSafetensors } from '@headwise/safetensors';
import { describeBackends, fullOnly } from '@headwise/testing';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { type LogMelOptions, logMelFeatures } from './log-mel.js';
import { logMelSettings } from './settings.js';

const golden = readSafetensors(
  new Uint8Array(readFileSync(new URL('goldens/log-mel.safetensors', import.meta.url))),
  { name: 'log-mel.safetensors' },
);

const soundOf = (name: string): Float32Array =>
  Float32Array.from(golden.get(`sounds.${name}`).data as Int16Array, (sample) => sample / 32_768);

/** The features that transformers gives, `[T, M]`. */
const expected = (name: string) => golden.get(`features.${name}`).data as Float32Array;

/** The largest difference of a feature from transformers', of values from −1.5 to 1.5; its own two transforms differ by as much. */
const bound = 3e-5;

function largestDifference(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(actual.length).toBe(wanted.length);
  return Array.from(wanted).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - actual[i]!)),
    0,
  );
}

async function featuresOf(
  sounds: Float32Array | readonly Float32Array[],
  options: LogMelOptions,
): Promise<{ shape: number[]; values: ArrayLike<number> }> {
  const features = logMelFeatures(sounds, options);
  const values = await readTensor(features);
  features.dispose();
  return { shape: features.shape, values };
}

describeBackends('log-mel features', () => {
  test('of a batch are those of transformers: cut, filled, and silent sounds', async () => {
    const before = tf.memory().numTensors;
    const names = ['tone', 'bursts', 'silence'];
    const { shape, values } = await featuresOf(names.map(soundOf), { seconds: 1 });
    expect(shape).toEqual([3, 100, 80]);
    const wanted = names.flatMap((name) => Array.from(expected(`${name}.80`)));
    expect(largestDifference(values, wanted)).toBeLessThan(bound);
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each([
    ['gliding.128', { seconds: 1, mels: 128 }, [1, 100, 128]],
    ['bursts.small', { seconds: 1, mels: 20, window: 256, hop: 100 }, [1, 160, 20]],
  ] as const)('%s: other filters and windows', async (name, options, size) => {
    const { shape, values } = await featuresOf(soundOf(name.split('.')[0]!), options);
    expect(shape).toEqual(size);
    expect(largestDifference(values, expected(name))).toBeLessThan(bound);
  });

  test('of a long sound, made piece by piece, are those of its pieces', async () => {
    const before = tf.memory().numTensors;
    const options = { mels: 3, sampleRate: 16_000, window: 8, hop: 4, seconds: 5 };
    // Loud all along, so that the floor of the whole is under all values.
    const sound = Float32Array.from({ length: 80_000 }, (_, i) => Math.sin(i * i) + Math.cos(i));
    const { shape, values } = await featuresOf(sound, options);
    expect(shape).toEqual([1, 20_000, 3]);
    // A part with the neighbours that its windows reach over the seam at frame 16,384.
    const from = 16_370;
    const part = await featuresOf(sound.slice(from * 4, (from + 40) * 4), {
      ...options,
      seconds: 0.01,
    });
    const inside = Array.from(values).slice((from + 1) * 3, (from + 39) * 3);
    const wanted = Array.from(part.values).slice(3, 39 * 3);
    expect(largestDifference(inside, wanted)).toBeLessThan(1e-4);
    expect(new Set(wanted).size).toBeGreaterThan(50);
    expect(tf.memory().numTensors).toBe(before);
  });
});

fullOnly('half a minute, as is the default, is filled with silence', async () => {
  const { shape, values } = await featuresOf(soundOf('gliding'), {});
  expect(shape).toEqual([1, 3000, 80]);
  const wanted = expected('gliding.whole');
  const last = wanted.slice(-80);
  const tail = Array.from({ length: 3000 - wanted.length / 80 }, () => Array.from(last)).flat();
  expect(largestDifference(values, [...wanted, ...tail])).toBeLessThan(bound);
});

test('sizes that do not go together and samples that are no numbers are refused', () => {
  const sound = new Float32Array(100);
  const given = (options: LogMelOptions) => () => logMelFeatures(sound, options);
  expect(given({ mels: 0 })).toThrow('mels is 0; expected a whole number above 0');
  expect(given({ window: 401 })).toThrow('window is 401; expected an even number');
  expect(given({ seconds: 0.01 })).toThrow(
    'window is 400; expected an even number below twice the 160 samples of 0.01 seconds',
  );
  sound[7] = Number.NaN;
  expect(given({})).toThrow('sample 7 of sound 0 is NaN; expected finite numbers');
});

test("the settings of a folder's preprocessor_config.json, by transformers' defaults", () => {
  const usual = { mels: 80, sampleRate: 16_000, window: 400, hop: 160, seconds: 30 };
  expect(logMelSettings({})).toEqual(usual);
  const third = { feature_extractor_type: 'WhisperFeatureExtractor', feature_size: 128 };
  const saved = { chunk_length: 30, n_samples: 480_000, nb_max_frames: 3000, dither: 0.0 };
  expect(logMelSettings({ ...third, ...saved })).toEqual({ ...usual, mels: 128 });
  expect(() => logMelSettings({ dither: 0.1 })).toThrow(
    "preprocessor_config.json: 'dither' is 0.1: ",
  );
  expect(() => logMelSettings({ feature_extractor_type: 'ViTImageProcessor' }, 'x.json')).toThrow(
    /x.json: 'feature_extractor_type' is "ViTImageProcessor"/,
  );
});
