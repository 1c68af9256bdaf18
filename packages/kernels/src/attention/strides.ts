import type { Strides } from './heads.js';

/** Where the rows of an operand lie, as fields of `params`: its strides, by its name. */
export type StrideParam<N extends string> = `${N}${'Start' | 'Batch' | 'Head' | 'Row'}`;

/** The fields of `params` that tell where the rows of an operand lie. */
export const strideFields = <N extends string>(name: N): Record<StrideParam<N>, 'u32'> =>
  ({
    [`${name}Start`]: 'u32',
    [`${name}Batch`]: 'u32',
    [`${name}Head`]: 'u32',
    [`${name}Row`]: 'u32',
  }) as Record<StrideParam<N>, 'u32'>;

/** The values of `strideFields`. */
export const strideValues = <N extends string>(
  name: N,
  { start, batch, head, row }: Strides,
): Record<StrideParam<N>, number> =>
  ({
    [`${name}Start`]: start,
    [`${name}Batch`]: batch,
    [`${name}Head`]: head,
    [`${name}Row`]: row,
  }) as Record<StrideParam<N>, number>;

/** WGSL of the first number of a head's rows in the buffer of an operand, from those expressions. */
export const headStart = (name: string, sequence: string, head: string): string =>
  `params.${name}Start + ${sequence} * params.${name}Batch + ${head} * params.${name}Head`;

/** WGSL of the first number of a row. */
export const rowStart = (name: string, sequence: string, head: string, row: string): string =>
  `${headStart(name, sequence, head)} + ${row} * params.${name}Row`;
