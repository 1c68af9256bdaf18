import { InputError } from '@headwise/core';
import { linear } from '@headwise/kernels';
import * as tf from '@tensorflow/tfjs';
import { overlapping } from '../overlapping.js';
import { melFilters } from './mel-filters.js';

/** How a sound becomes the features that Whisper reads. */
export interface LogMelOptions {
  /** `M`, the number of mel filters: 80, or 128 in the third large model. Default 80. */
  mels?: number | undefined;
  /** Samples of a sound in a second; default 16,000. */
  sampleRate?: number | undefined;
  /** Samples of a window, an even number; default 400. */
  window?: number | undefined;
  /** Samples from a window to the next; default 160. */
  hop?: number | undefined;
  /** Seconds to which a sound is filled with silence or cut; default 30. */
  seconds?: number | undefined;
}

/** Windows that are on the device at once, of all sounds together: 26 MB of 400 samples each. */
const framesAtOnce = 16_384;

/** The highest frequency of the filters, in hertz. */
const highest = 8000;

/**
 * The log-mel spectrograms of sounds, as `WhisperFeatureExtractor` of transformers makes them.
 *
 * `P[t, k] = |Σ_n w[n] x[t h + n] e^(−2πi k n / N)|²` with Hann's window w, of the sound reflected by `N / 2` samples at both ends;
 * `L = log₁₀ max(P F, 1e-10)` with Slaney's mel filters F; `y = (max(L, max L − 8) + 4) / 4`. The transform is a product with a
 * matrix of sines on the device.
 *
 * @param sounds samples in [−1, 1] of one channel, one sound or several
 * @returns `[B, seconds · sampleRate / hop, M]`, float32
 * @throws InputError for sizes that do not go together, and for samples that are not finite
 * @see Radford et al. 2022, §2.2, https://arxiv.org/abs/2212.04356
 * @example
 * const features = logMelFeatures(samples); // [1, 3000, 80]
 * const encoded = whisper.network.encode(features);
 */
export function logMelFeatures(
  sounds: Float32Array | readonly Float32Array[],
  options: LogMelOptions = {},
): tf.Tensor3D {
  const { mels = 80, sampleRate = 16_000, window = 400, hop = 160, seconds = 30 } = options;
  for (const [name, value] of Object.entries({ mels, sampleRate, window, hop })) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new InputError(`logMelFeatures: ${name} is ${value}; expected a whole number above 0`);
  }
  const length = Math.floor(seconds * sampleRate);
  if (window % 2 !== 0 || !(length > window / 2)) {
    throw new InputError(
      `logMelFeatures: window is ${window}; expected an even number below twice the ${length} samples of ${seconds} seconds`,
    );
  }
  const given = sounds instanceof Float32Array ? [sounds] : sounds;
  for (const [i, sound] of given.entries()) checkSamples(sound, i);
  const frames = Math.floor(length / hop);
  const bins = window / 2 + 1;
  // Rows of one hop each: a window is some neighbouring rows, the last in part.
  const pieces = Math.ceil(window / hop);
  const rows = frames - 1 + pieces;
  const padded = new Float32Array(given.length * rows * hop);
  for (const [i, sound] of given.entries()) {
    const at = padded.subarray(i * rows * hop, (i + 1) * rows * hop);
    fillReflected(at, sound.subarray(0, length), { length, before: window / 2 });
  }
  const atOnce = Math.max(1, Math.floor(framesAtOnce / given.length));
  return tf.tidy(() => {
    const basis = tf.tensor2d(fourierBasis(window), [window, 2 * bins]);
    const filters = tf.tensor2d(melFilters({ mels, bins, sampleRate, highest }), [bins, mels]);
    const parts: tf.Tensor[] = [];
    for (let from = 0; from < frames; from += atOnce) {
      const span = Math.min(atOnce, frames - from) - 1 + pieces;
      const values = new Float32Array(given.length * span * hop);
      for (let i = 0; i < given.length; i++) {
        const at = (i * rows + from) * hop;
        values.set(padded.subarray(at, at + span * hop), i * span * hop);
      }
      const hops = tf.tensor3d(values, [given.length, span, hop]);
      parts.push(logPower(hops, window, basis, filters));
      hops.dispose();
    }
    const logs = parts.length === 1 ? parts[0]! : tf.concat(parts, 1); // [B, T, M]
    const floor = logs.max([1, 2], true).sub(8);
    return logs.maximum(floor).add(4).div<tf.Tensor3D>(4);
  });
}

/** `log₁₀ max(P F, 1e-10)` of windows. @param hops `[B, R, h]` @returns `[B, T, M]` */
const logPower = (
  hops: tf.Tensor3D,
  window: number,
  basis: tf.Tensor2D,
  filters: tf.Tensor2D,
): tf.Tensor =>
  tf.tidy(() => {
    const bins = filters.shape[0];
    const windows = overlapping(hops, window); // [B, T, N]
    const squares = linear(windows, basis, undefined, 'in-out').square();
    const power = squares
      .slice([0, 0, 0], [-1, -1, bins])
      .add(squares.slice([0, 0, bins], [-1, -1, bins])); // [B, T, N / 2 + 1]
    return linear(power, filters, undefined, 'in-out').maximum(1e-10).log().div(Math.LN10);
  });

function checkSamples(sound: Float32Array, index: number): void {
  const at = sound.findIndex((sample) => !Number.isFinite(sample));
  if (at < 0) return;
  throw new InputError(
    `logMelFeatures: sample ${at} of sound ${index} is ${sound[at]}; expected finite numbers`,
  );
}

/** Writes a sound, silence up to its whole length, and both reflected at their ends; the rest stays zero. */
function fillReflected(
  target: Float32Array,
  sound: Float32Array,
  { length, before }: { length: number; before: number },
): void {
  target.set(sound.subarray(0, Math.max(0, target.length - before)), before);
  for (let i = 1; i <= before; i++) {
    target[before - i] = sound[i] ?? 0;
    const end = before + length - 1 + i;
    if (end < target.length) target[end] = sound[length - 1 - i] ?? 0;
  }
}

/** Hann's window times cosines and negative sines of each frequency, side by side, row-major `[N, 2 (N / 2 + 1)]`. */
function fourierBasis(size: number): Float32Array {
  const bins = size / 2 + 1;
  const basis = new Float32Array(size * 2 * bins);
  for (let n = 0; n < size; n++) {
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size);
    for (let k = 0; k < bins; k++) {
      // Whole turns are left out, for the sake of precision.
      const angle = (2 * Math.PI * ((k * n) % size)) / size;
      basis[n * 2 * bins + k] = hann * Math.cos(angle);
      basis[n * 2 * bins + bins + k] = -hann * Math.sin(angle);
    }
  }
  return basis;
}
