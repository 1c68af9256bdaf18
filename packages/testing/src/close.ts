import type * as tf from '@tensorflow/tfjs';

export interface Tolerance {
  /** Largest root-mean-square of the difference, as a part of the expected values' own. Default 1e-5. */
  ratio?: number | undefined;
  /** Root-mean-square differences below this are always accepted. Default 1e-7. */
  floor?: number | undefined;
}

const rms = (values: ArrayLike<number>, value: (i: number) => number): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += value(i) ** 2;
  return Math.sqrt(sum / Math.max(1, values.length));
};

async function valuesOf(x: tf.Tensor | ArrayLike<number>): Promise<ArrayLike<number>> {
  return 'data' in x ? await x.data() : x;
}

/**
 * Throws unless `rms(actual − expected) ≤ max(floor, ratio · rms(expected))` over the finite values, and every other
 * value is the expected infinity.
 *
 * One value far off counts: no single difference may exceed 30 times the bound.
 */
export async function expectClose(
  actual: tf.Tensor | ArrayLike<number>,
  expected: tf.Tensor | ArrayLike<number>,
  { ratio = 1e-5, floor = 1e-7 }: Tolerance = {},
): Promise<void> {
  const [a, e] = [await valuesOf(actual), await valuesOf(expected)];
  if (a.length !== e.length) throw new Error(`${a.length} values; expected ${e.length}`);
  for (let i = 0; i < a.length; i++) {
    const same = a[i] === e[i] || (Number.isFinite(a[i]) && Number.isFinite(e[i]));
    if (!same) throw new Error(`value ${i} is ${a[i]}; expected ${e[i]}`);
  }
  const difference = (i: number) => (a[i] === e[i] ? 0 : a[i]! - e[i]!);
  const scale = rms(e, (i) => (Number.isFinite(e[i]) ? e[i]! : 0));
  const bound = Math.max(floor, ratio * scale);
  const error = rms(a, difference);
  const worst = Array.from(a, (_, i) => Math.abs(difference(i))).reduce(
    (best, d, i, all) => (d > all[best]! ? i : best),
    0,
  );
  if (error <= bound && Math.abs(difference(worst)) <= 30 * bound) return;
  throw new Error(
    `values differ: rms ${error.toExponential(2)}, bound ${bound.toExponential(2)}, rms expected ${scale.toExponential(2)}; ` +
      `worst at ${worst}: ${a[worst]}, expected ${e[worst]}`,
  );
}
