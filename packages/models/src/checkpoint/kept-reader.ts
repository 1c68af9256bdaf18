import type { MatrixLayout } from '@headwise/core/internal';
import type { PackedWeight } from '@headwise/kernels';
import type { TensorReader } from '@headwise/safetensors';
import type { Found } from './matching.js';

/** A reader of tensors some of which hold matrices in fewer bits, which can stay so in memory. */
export interface KeptReader extends TensorReader {
  /** Whether a tensor holds a matrix that can stay packed. */
  isKept(key: string): boolean;
  /** The bytes that it takes in memory then. */
  keptBytes(found: Found, layout: MatrixLayout): number;
  /**
   * The matrix, nothing rounded.
   *
   * @param shape of the parameter
   * @returns undefined where scales, or values of 16 bits, are not finite
   */
  weight(
    found: Found,
    shape: readonly [number, number],
    layout: MatrixLayout,
  ): Promise<PackedWeight | undefined>;
}

/** A reader that can keep matrices packed; undefined for another one. */
export const keptReader = (reader: TensorReader): KeptReader | undefined =>
  'isKept' in reader ? (reader as KeptReader) : undefined;
