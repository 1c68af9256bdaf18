import * as tf from '@tensorflow/tfjs';
import { philox } from './philox.js';
import { sizeOf } from './shapes.js';

/**
 * The distribution of a parameter's initial values: each `value`; normal with mean 0 and standard deviation `std`; or
 * uniform in [−`limit`, `limit`).
 */
export type Distribution =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'uniform'; readonly limit: number };

/** A distribution whose values differ by their place. */
export type RandomDistribution = Exclude<Distribution, { kind: 'constant' }>;

/** The key of a Philox generator: two unsigned 32-bit words. */
export type PhiloxKey = readonly [number, number];

/** The kernel that draws on a device: attributes `{ distribution, shape, key }`, one output. */
export const drawKernel = 'headwise/Draw';

/** Units of a uniform number's 24 bits, and of a quarter turn's 22. */
export const drawUnits: Readonly<Record<'uniform' | 'quarter', number>> = {
  uniform: 2 ** 24,
  quarter: 2 ** 22,
};

/**
 * A tensor of values drawn from a distribution: by a kernel of the backend in use where it has one, else in JavaScript.
 *
 * Value i comes from word `i mod 4` of the Philox 4x32-10 counter `⌊i / 4⌋`; its upper 24 bits are `m`:
 * - uniform: `limit (m − 2²³) / 2²³`, the same bits on every backend;
 * - normal: of the words of values 2j and 2j + 1, by the Box-Muller transform `std r cos θ` and `std r sin θ` with
 *   `r = √(−2 ln((m₀ + 1) / 2²⁴))` and `θ = 2π m₁ / 2²⁴`; backends differ by at most 8 units in the last place.
 *
 * @see Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405; Box and Muller 1958,
 * https://doi.org/10.1214/aoms/1177706645
 */
export function drawn(
  distribution: Distribution,
  shape: readonly number[],
  key: PhiloxKey,
): tf.Tensor {
  const size = sizeOf(shape);
  if (distribution.kind !== 'constant' && size > 0 && tf.getKernel(drawKernel, tf.getBackend())) {
    const [values] = tf
      .engine()
      .runKernel(drawKernel, {}, { distribution, shape, key } as never) as unknown as tf.Tensor[];
    return values!;
  }
  return tf.tensor(drawnValues(distribution, size, key), [...shape], 'float32');
}

/** The values of {@link drawn}, row-major, in JavaScript: its specification. */
export function drawnValues(
  distribution: Distribution,
  size: number,
  key: PhiloxKey,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(size);
  if (distribution.kind === 'constant') return values.fill(distribution.value);
  const normal = distribution.kind === 'normal';
  const words = new Uint32Array(4);
  const four = new Float64Array(4);
  for (let first = 0; first < size; first += 4) {
    words.fill(0);
    words[0] = first / 4;
    philox(words, key);
    if (normal) {
      pairOf(words, four, 0, distribution.std);
      pairOf(words, four, 2, distribution.std);
    } else {
      for (let i = 0; i < 4; i++) four[i] = uniformOf(words[i]!, distribution.limit);
    }
    for (let i = 0; i < 4 && first + i < size; i++) values[first + i] = four[i]!;
  }
  return values;
}

/** The largest float32 number that a uniform distribution counts in. */
export const uniformUnit = (limit: number): number => Math.fround(limit / (drawUnits.uniform / 2));

// Both factors have 24 bits: a float64 product is exact, and one rounding is left, as on a GPU.
const uniformOf = (word: number, limit: number): number =>
  ((word >>> 8) - drawUnits.uniform / 2) * uniformUnit(limit);

/** Two normal numbers of the words at a place, which take their place. */
function pairOf(words: Uint32Array, into: Float64Array, at: number, std: number): void {
  const radius = std * Math.sqrt(-2 * Math.log(((words[at]! >>> 8) + 1) / drawUnits.uniform));
  // The nearest axis, and what is left of the angle: sines near 0 keep all their bits.
  const turn = words[at + 1]! >>> 8;
  const quarter = (turn + drawUnits.quarter / 2) >>> 22;
  const rest = (turn - quarter * drawUnits.quarter) * (Math.PI / 2 / drawUnits.quarter);
  const [cos, sin] = [radius * Math.cos(rest), radius * Math.sin(rest)];
  const odd = (quarter & 1) === 1;
  const [x, y] = odd ? [-sin, cos] : [cos, sin];
  const sign = (quarter & 2) === 2 ? -1 : 1;
  into[at] = sign * x;
  into[at + 1] = sign * y;
}
