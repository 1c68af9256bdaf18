/**
 * The operations of a transformer and their gradients in float64, straight from their formulas: what kernels
 * are measured by. Values are row-major.
 */

/** `n` normal values of a seed that float32 holds exactly. */
export function normals(n: number, seed: number): Float64Array {
  let state = (seed * 2_654_435_761) >>> 0;
  const uniform = () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (((z ^ (z >>> 15)) >>> 0) + 0.5) / 2 ** 32;
  };
  return Float64Array.from({ length: n }, () =>
    Math.fround(Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())),
  );
}

/** `A B`, `[n, k] [k, m]`; with `At` or `Bt` the transposed of what is given. */
export function product(
  a: Float64Array,
  b: Float64Array,
  [n, k, m]: readonly [number, number, number],
  {
    transposeA = false,
    transposeB = false,
  }: { transposeA?: boolean | undefined; transposeB?: boolean | undefined } = {},
): Float64Array {
  const y = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) {
        sum += a[transposeA ? l * n + i : i * k + l]! * b[transposeB ? j * k + l : l * m + j]!;
      }
      y[i * m + j] = sum;
    }
  }
  return y;
}

/** `x̂ = (x − mean) / √(var + ε)` of each row of `width`, or without the mean; and its gradient for `dx̂`. */
export function normalized(
  x: Float64Array,
  width: number,
  epsilon: number,
  centred: boolean,
): { y: Float64Array; gradient: (dy: Float64Array) => Float64Array } {
  const rows = x.length / width;
  const y = new Float64Array(x.length);
  const deviations = new Float64Array(rows);
  const row = (values: Float64Array, i: number) => values.subarray(i * width, (i + 1) * width);
  const mean = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / width;
  for (let i = 0; i < rows; i++) {
    const centre = centred ? mean(row(x, i)) : 0;
    const centredRow = row(x, i).map((v) => v - centre);
    deviations[i] = Math.sqrt(mean(centredRow.map((v) => v * v)) + epsilon);
    row(y, i).set(centredRow.map((v) => v / deviations[i]!));
  }
  const gradient = (dy: Float64Array): Float64Array => {
    const dx = new Float64Array(x.length);
    for (let i = 0; i < rows; i++) {
      const [d, of] = [row(dy, i), row(y, i)];
      const along = mean(d.map((v, c) => v * of[c]!));
      const shift = centred ? mean(d) : 0;
      row(dx, i).set(d.map((v, c) => (v - shift - of[c]! * along) / deviations[i]!));
    }
    return dx;
  };
  return { y, gradient };
}

/** `softmax` of some scores; scores of −∞ get 0. */
export function softmax(scores: Float64Array): Float64Array {
  const largest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exps = scores.map((s) => Math.exp(s - largest));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / total);
}

export interface AttentionSizes {
  heads: number;
  kvHeads: number;
  length: number;
  width: number;
}

/** Causal attention of one sequence, `[H, T, Dh]`, and the gradients of q, k and v for `dy`. */
export function causalAttention(
  [q, k, v]: readonly [Float64Array, Float64Array, Float64Array],
  dy: Float64Array,
  { heads, kvHeads, length, width }: AttentionSizes,
): Record<'y' | 'dq' | 'dk' | 'dv', Float64Array> {
  const scale = 1 / Math.sqrt(width);
  const y = new Float64Array(q.length);
  const [dq, dk, dv] = [q, k, v].map((x) => new Float64Array(x.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const at = (head: number, row: number) => (head * length + row) * width;
  for (let head = 0; head < heads; head++) {
    const shared = Math.floor((head * kvHeads) / heads);
    for (let i = 0; i < length; i++) {
      const query = at(head, i);
      const dot = (a: Float64Array, b: Float64Array, j: number) => {
        let sum = 0;
        for (let c = 0; c < width; c++) sum += a[query + c]! * b[at(shared, j) + c]!;
        return sum;
      };
      const seen = Array.from({ length: i + 1 }, (_, j) => j);
      const p = softmax(Float64Array.from(seen, (j) => scale * dot(q, k, j)));
      const dp = Float64Array.from(seen, (j) => dot(dy, v, j));
      const delta = p.reduce((sum, w, j) => sum + w * dp[j]!, 0);
      for (const j of seen) {
        const key = at(shared, j);
        const ds = scale * p[j]! * (dp[j]! - delta);
        for (let c = 0; c < width; c++) {
          y[query + c]! += p[j]! * v[key + c]!;
          dv[key + c]! += p[j]! * dy[query + c]!;
          dq[query + c]! += ds * k[key + c]!;
          dk[key + c]! += ds * q[query + c]!;
        }
      }
    }
  }
  return { y, dq, dk, dv };
}
