/** The rows of a checkpoint's tensor in our order: row i of ours is row `order[i]` of theirs. */
export type RowOrder = readonly number[];

/** Rows put into our order. */
export function takeRows(values: Float32Array, order: RowOrder): Float32Array {
  const width = values.length / order.length;
  const taken = new Float32Array(values.length);
  order.forEach((from, to) => {
    taken.set(values.subarray(from * width, (from + 1) * width), to * width);
  });
  return taken;
}

/** Rows put back into the checkpoint's order: the inverse of `takeRows`. */
export function giveRows(values: Float32Array, order: RowOrder): Float32Array {
  const width = values.length / order.length;
  const given = new Float32Array(values.length);
  order.forEach((to, from) => {
    given.set(values.subarray(from * width, (from + 1) * width), to * width);
  });
  return given;
}

/** The transpose of a matrix, row by row. */
export function transposed(values: Float32Array, shape: readonly number[]): Float32Array {
  const [rows, columns] = shape as [number, number];
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = values[row * columns + column]!;
    }
  }
  return out;
}

/**
 * The order of a fused projection whose heads lie in groups: in each its queries, one key, one value.
 *
 * Ours has all queries, then all keys, then all values. BLOOM has a group for each head, Falcon one for
 * each head of keys.
 *
 * @param heads `H` @param kvHeads `Hkv`, which divides H @param headDim `Dh`
 * @returns `(H + 2 Hkv) Dh` rows
 */
export function groupedHeads(heads: number, kvHeads: number, headDim: number): RowOrder {
  const queries = heads / kvHeads;
  const place = (group: number, within: number) => group * (queries + 2) + within;
  const groups = Array.from({ length: kvHeads }, (_, group) => group);
  const ours = [
    ...Array.from({ length: heads }, (_, h) => place(Math.floor(h / queries), h % queries)),
    ...groups.map((group) => place(group, queries)),
    ...groups.map((group) => place(group, queries + 1)),
  ];
  return ours.flatMap((head) => Array.from({ length: headDim }, (_, i) => head * headDim + i));
}
