import { toFloat32 } from '@headwise/safetensors';
import { halfBits } from '@headwise/safetensors/internal';
import { floatBits, GgufHalfError } from './half.js';

/** Values of a super-block, of a block, and the highest level. */
const superBlock = 256;
const block = 32;
const blocks = superBlock / block;
const top = 15;
/** The search for a scale: its first offset, the step between two, and how many. */
const [first, step, steps] = [-1, Math.fround(0.1), 20];

const { fround, abs, sqrt } = Math;

/** Ties to even, as adding 1.5 · 2²³ in float32 rounds. */
const nearest = (value: number): number => fround(value + 12_582_912) - 12_582_912;
const clamp = (level: number, most: number): number => Math.max(0, Math.min(most, level));

/**
 * Values as super-blocks of 256: two float16, eight scales and minima of 6 bits, and 4 bits a value, `x ≈ d s q − d' m`.
 *
 * Bit for bit what `quantize_row_q4_K_ref` of ggml computes, in float32.
 *
 * @param values `[n]`, a multiple of 256
 * @returns `144 n / 256` bytes
 */
export function quantizeQ4K(values: Float32Array): Uint8Array {
  const out = new Uint8Array((values.length / superBlock) * 144);
  const levels = new Uint8Array(superBlock);
  for (let begin = 0, at = 0; begin < values.length; begin += superBlock, at += 144) {
    const x = values.subarray(begin, begin + superBlock);
    writeSuperBlock(x, levels, out.subarray(at, at + 144));
  }
  return out;
}

function writeSuperBlock(x: Float32Array, levels: Uint8Array, out: Uint8Array): void {
  const scales = new Float32Array(blocks);
  const minima = new Float32Array(blocks);
  for (let j = 0; j < blocks; j++) {
    const part = [j * block, (j + 1) * block] as const;
    const found = searchScale(x.subarray(...part), levels.subarray(...part));
    scales[j] = found.scale;
    minima[j] = found.minimum;
  }
  const [maxScale, maxMinimum] = [Math.max(0, ...scales), Math.max(0, ...minima)];
  const inverse = (most: number) => (most > 0 ? fround(63 / most) : 0);
  const [inverseScale, inverseMinimum] = [inverse(maxScale), inverse(maxMinimum)];
  const d = writeHalf(fround(maxScale / 63), out, 0);
  const dMinimum = writeHalf(fround(maxMinimum / 63), out, 2);
  for (let j = 0; j < blocks; j++) {
    const s = Math.min(63, nearest(fround(inverseScale * scales[j]!)));
    const m = Math.min(63, nearest(fround(inverseMinimum * minima[j]!)));
    packScale(out.subarray(4, 16), j, s, m);
    const scale = fround(d * s);
    if (scale === 0) continue;
    const minimum = fround(dMinimum * m);
    for (let i = j * block; i < (j + 1) * block; i++) {
      levels[i] = clamp(nearest(fround(fround(x[i]! + minimum) / scale)), top);
    }
  }
  // Two blocks share their bytes: the first has the low halves.
  for (let j = 0, at = 16; j < superBlock; j += 2 * block) {
    for (let i = 0; i < block; i++) out[at++] = levels[j + i]! | (levels[j + block + i]! << 4);
  }
}

/** Scale and minimum of block j, 6 bits each, in twelve bytes: the last four lend the others their upper bits. */
function packScale(packed: Uint8Array, j: number, scale: number, minimum: number): void {
  if (j < 4) {
    packed[j] = scale;
    packed[j + 4] = minimum;
    return;
  }
  packed[j + 4] = (scale & 0xf) | ((minimum & 0xf) << 4);
  packed[j - 4]! |= (scale >> 4) << 6;
  packed[j]! |= (minimum >> 4) << 6;
}

/** @returns the value that the half holds */
function writeHalf(value: number, out: Uint8Array, at: number): number {
  if (value > 65_504) throw new GgufHalfError(value);
  const bits = halfBits(floatBits(value));
  out[at] = bits & 0xff;
  out[at + 1] = bits >> 8;
  return toFloat32({ dtype: 'F16', data: Uint16Array.of(bits) })[0]!;
}

/**
 * The scale and the minimum of one block that make the least error, each value weighted by `√(mean x²) + |x|`: the best of 21
 * scales, each improved by least squares. The levels of the best go into `levels`.
 */
function searchScale(x: Float32Array, levels: Uint8Array): { scale: number; minimum: number } {
  let squares = 0;
  for (const value of x) squares = fround(squares + fround(value * value));
  const mean = fround(sqrt(fround(squares / block)));
  const weights = x.map((value) => mean + abs(value));
  let [min, max, sumW, sumX] = [x[0]!, x[0]!, weights[0]!, fround(weights[0]! * x[0]!)];
  for (let i = 1; i < block; i++) {
    min = Math.min(min, x[i]!);
    max = Math.max(max, x[i]!);
    sumW = fround(sumW + weights[i]!);
    sumX = fround(sumX + fround(weights[i]! * x[i]!));
  }
  min = Math.min(min, 0);
  if (max === min) {
    levels.fill(0);
    return { scale: 0, minimum: -min };
  }
  const tried = new Uint8Array(block);
  const tryLevels = (inverse: number, into: Uint8Array) => {
    for (let i = 0; i < block; i++) {
      into[i] = clamp(nearest(fround(inverse * fround(x[i]! - min))), top);
    }
  };
  const errorOf = (scale: number, minimum: number, of: Uint8Array): number => {
    let error = 0;
    for (let i = 0; i < block; i++) {
      const difference = fround(fround(fround(scale * of[i]!) + minimum) - x[i]!);
      error = fround(error + fround(weights[i]! * fround(difference * difference)));
    }
    return error;
  };
  const plain = fround(top / fround(max - min));
  let scale = fround(1 / plain);
  tryLevels(plain, levels);
  let best = errorOf(scale, min, levels);
  for (let s = 0; s <= steps; s++) {
    // From the best minimum so far, as the reference has it.
    const inverse = fround(fround(fround(first + fround(step * s)) + top) / fround(max - min));
    tryLevels(inverse, tried);
    const fit = leastSquares(x, weights, tried, sumW, sumX);
    if (!fit) continue;
    const error = errorOf(fit.scale, fit.minimum, tried);
    if (error >= best) continue;
    levels.set(tried);
    best = error;
    scale = fit.scale;
    min = fit.minimum;
  }
  return { scale, minimum: -min };
}

/** The scale and the minimum, at most 0, of given levels; undefined where the levels do not tell. */
function leastSquares(
  x: Float32Array,
  weights: Float32Array,
  levels: Uint8Array,
  sumW: number,
  sumX: number,
): { scale: number; minimum: number } | undefined {
  let [sumL, sumL2, sumXL] = [0, 0, 0];
  for (let i = 0; i < block; i++) {
    const weighted = fround(weights[i]! * levels[i]!);
    sumL = fround(sumL + weighted);
    sumL2 = fround(sumL2 + fround(weighted * levels[i]!));
    sumXL = fround(sumXL + fround(weighted * x[i]!));
  }
  const determinant = fround(fround(sumW * sumL2) - fround(sumL * sumL));
  if (!(determinant > 0)) return undefined;
  const scale = fround(fround(fround(sumW * sumXL) - fround(sumX * sumL)) / determinant);
  const minimum = fround(fround(fround(sumL2 * sumX) - fround(sumL * sumXL)) / determinant);
  return minimum > 0 ? { scale: fround(sumXL / sumL2), minimum: 0 } : { scale, minimum };
}
