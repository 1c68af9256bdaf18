/** The type of a tensor; those with `_` have blocks of levels with scales. */
export type GgmlType =
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'q4_0'
  | 'q4_1'
  | 'q5_0'
  | 'q5_1'
  | 'q8_0'
  | 'iq4_nl'
  | 'q4_k'
  | 'q5_k'
  | 'q6_k';

/** A type that this package writes. */
export type WrittenType = 'f32' | 'f16' | 'q8_0' | 'q4_k';

/** How a type lays out values. */
export interface GgmlLayout {
  /** Its number in ggml. */
  code: number;
  /** The values of a block, which a row has whole. */
  values: number;
  /** The bytes of a block. */
  bytes: number;
}

/** The types of tensors that are read. */
export const ggmlTypes: Readonly<Record<GgmlType, GgmlLayout>> = {
  f32: { code: 0, values: 1, bytes: 4 },
  f16: { code: 1, values: 1, bytes: 2 },
  bf16: { code: 30, values: 1, bytes: 2 },
  q4_0: { code: 2, values: 32, bytes: 18 },
  q4_1: { code: 3, values: 32, bytes: 20 },
  q5_0: { code: 6, values: 32, bytes: 22 },
  q5_1: { code: 7, values: 32, bytes: 24 },
  q8_0: { code: 8, values: 32, bytes: 34 },
  iq4_nl: { code: 20, values: 32, bytes: 18 },
  q4_k: { code: 12, values: 256, bytes: 144 },
  q5_k: { code: 13, values: 256, bytes: 176 },
  q6_k: { code: 14, values: 256, bytes: 210 },
};

/** The types of tensors that are written. */
export const writtenTypes: readonly WrittenType[] = ['f32', 'f16', 'q8_0', 'q4_k'];

/** The numbers of `general.file_type`: the type of most tensors. */
export const fileTypes: Readonly<Record<WrittenType, number>> = {
  f32: 0,
  f16: 1,
  q8_0: 7,
  q4_k: 14,
};

/** The name of a type by its number; undefined for one that is not read. */
export const typeOfCode = (code: number): GgmlType | undefined =>
  (Object.keys(ggmlTypes) as GgmlType[]).find((type) => ggmlTypes[type].code === code);
