import { Random } from '@headwise/core';

/** The operations of a model in double precision, to measure the errors of single precision by. */

/** Normal random numbers, which single precision holds exactly. */
export function numbers(count: number, seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.nextNormal());
}

/** `[rows, inner] · [inner, columns]` */
export function product(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  rows: number,
  inner: number,
  columns: number,
): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      for (let j = 0; j < columns; j++) {
        out[i * columns + j]! += a[i * inner + k]! * b[k * columns + j]!;
      }
    }
  }
  return out;
}

/** `change` on every row of a matrix. */
function byRow(
  x: ArrayLike<number>,
  width: number,
  change: (row: number[], number: number) => ArrayLike<number>,
): Float64Array {
  const rows = x.length / width;
  return Float64Array.from(
    Array.from({ length: rows }, (_, i) =>
      Array.from(
        change(
          Array.from({ length: width }, (_, j) => x[i * width + j]!),
          i,
        ),
      ),
    ).flat(),
  );
}

const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** `(x − mean) / √(var + ε) · weight + bias` of each row. */
export function layerNorm(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  return byRow(x, weight.length, (row) => {
    const mean = meanOf(row);
    const spread = Math.sqrt(meanOf(row.map((value) => (value - mean) ** 2)) + epsilon);
    return row.map((value, j) => ((value - mean) / spread) * weight[j]! + bias[j]!);
  });
}

/** `x / √(mean(x²) + ε) · weight` of each row. */
export function rmsNorm(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  return byRow(x, weight.length, (row) => {
    const size = Math.sqrt(meanOf(row.map((value) => value ** 2)) + epsilon);
    return row.map((value, j) => (value / size) * weight[j]!);
  });
}

/** `exp(x) / Σ exp(x)` of each row. */
export function softmax(x: ArrayLike<number>, width: number): Float64Array {
  return byRow(x, width, softmaxOf);
}

function softmaxOf(row: readonly number[]): number[] {
  const most = Math.max(...row);
  const powers = row.map((value) => Math.exp(value - most));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

/** `½ x (1 + erf(x / √2))` */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

/** The error function by its power series, exact to double precision for |x| up to 6. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** `softmax(Q Kᵀ / √Dh)` over the tokens up to each, times `V`; `[H, T, Dh]`. */
export function causalAttention(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  { heads, tokens, width }: { heads: number; tokens: number; width: number },
): Float64Array {
  const out = new Float64Array(heads * tokens * width);
  for (let h = 0; h < heads; h++) {
    const at = (t: number) => (h * tokens + t) * width;
    for (let i = 0; i < tokens; i++) {
      const scores = Array.from({ length: i + 1 }, (_, j) => {
        let sum = 0;
        for (let d = 0; d < width; d++) sum += q[at(i) + d]! * k[at(j) + d]!;
        return sum / Math.sqrt(width);
      });
      softmaxOf(scores).forEach((weight, j) => {
        for (let d = 0; d < width; d++) out[at(i) + d]! += weight * v[at(j) + d]!;
      });
    }
  }
  return out;
}

/** `log Σ exp(x) − x_target` of each row. */
export function crossEntropy(
  x: ArrayLike<number>,
  targets: ArrayLike<number>,
  width: number,
): Float64Array {
  return byRow(x, width, (row, i) => [-Math.log(softmaxOf(row)[targets[i]!]!)]);
}
