import { checkOneOf, InputError, type Packing, quoted } from '@headwise/core';
import {
  checkGroup,
  type PackingOptions,
  type WeightDtype,
  weightDtypes,
  weightPacking,
} from '@headwise/layers';

export { type WeightDtype, weightDtypes };

/** How a model's weights lie in memory. */
export interface WeightOptions extends Omit<PackingOptions, 'dtype'> {
  /** `f32` (the default, which alone is trained), `f16`, `int8` or `int4`. */
  dtype?: WeightDtype | undefined;
}

/**
 * The packing that options name; undefined for float32.
 *
 * @param op names the caller in errors
 * @throws InputError for an unknown type or group, and for options without an effect on the type
 */
export function packingOf(op: string, options: WeightOptions): Packing | undefined {
  const { dtype = 'f32', group, only } = options;
  checkOneOf(`${op}: dtype`, dtype, weightDtypes);
  checkGroup(op, dtype, group);
  if (only !== undefined && typeof only !== 'function') {
    throw new InputError(
      `${op}: only is ${quoted(only)}; expected a function of a parameter's path`,
    );
  }
  if (dtype !== 'f32') return weightPacking({ dtype, group, only });
  if (!only) return undefined;
  throw new InputError(`${op}: only is given with dtype 'f32', which packs nothing`);
}

/** The least part of float32's bytes that a type takes. */
export const leastBytes: Readonly<Record<WeightDtype, number>> = {
  f32: 1,
  f16: 1 / 2,
  int8: 1 / 4,
  int4: 1 / 8,
};
