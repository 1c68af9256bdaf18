/** Values in rows, one a key. */
export interface Grid {
  /** Row-major, `[rows, keys]`. */
  readonly values: Float32Array;
  readonly rows: number;
  readonly keys: number;
}

/** A grid of at most so many rows and keys, each value the largest of those that it stands for. */
export function pooled(grid: Grid, most: number): Grid {
  const factor = Math.ceil(Math.max(grid.rows, grid.keys) / most);
  return factor <= 1 ? grid : pooledBy(grid, factor);
}

/** A grid whose values are the largest of squares of `factor` by `factor`: no single peak is lost. */
export function pooledBy({ values, rows, keys }: Grid, factor: number): Grid {
  const [fewRows, fewKeys] = [Math.ceil(rows / factor), Math.ceil(keys / factor)];
  const largest = new Float32Array(fewRows * fewKeys).fill(Number.NEGATIVE_INFINITY);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * keys, Math.floor(row / factor) * fewKeys];
    for (let key = 0, small = to, left = factor; key < keys; key++) {
      const value = values[from + key]!;
      if (value > largest[small]!) largest[small] = value;
      if (--left === 0) {
        small++;
        left = factor;
      }
    }
  }
  return { values: largest, rows: fewRows, keys: fewKeys };
}
