/**
 * The type of a tensor: floats, `q8_0` (blocks of 32 values, one scale each), or `q4_k` (blocks of 256, eight scales and minima
 * of 6 bits each).
 */
export type GgmlType = 'f32' | 'f16' | 'q8_0' | 'q4_k';

/** How a type lays out values. */
export interface GgmlLayout {
  /** Its number in ggml. */
  code: number;
  /** The values of a block, which a row has whole. */
  values: number;
  /** The bytes of a block. */
  bytes: number;
}

/** The types of tensors that are written. */
export const ggmlTypes: Readonly<Record<GgmlType, GgmlLayout>> = {
  f32: { code: 0, values: 1, bytes: 4 },
  f16: { code: 1, values: 1, bytes: 2 },
  q8_0: { code: 8, values: 32, bytes: 34 },
  q4_k: { code: 12, values: 256, bytes: 144 },
};

/** The numbers of `general.file_type`: the type of most tensors. */
export const fileTypes: Readonly<Record<GgmlType, number>> = { f32: 0, f16: 1, q8_0: 7, q4_k: 14 };
