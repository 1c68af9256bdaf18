import { checkOneOf, InputError, type Packing } from '@headwise/core';
import type { Matrix } from '@headwise/core/internal';
import { PackedWeight, type WeightFormat } from '@headwise/kernels';
import { weightFormats, weightPacker } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';

/** The types that weights can be kept in; `f32` alone is trained. */
export const weightDtypes = ['f32', 'f16', 'int8', 'int4'] as const;
export type WeightDtype = (typeof weightDtypes)[number];

/** Inputs that share a scale in `int4`. */
export const groupSizes = [32, 64] as const;

export interface PackingOptions {
  /** `f16`, `int8` with a scale for each output, or `int4` with a scale for each group of inputs. */
  dtype: WeightFormat;
  /** Inputs that share a scale, for `int4` alone; default 32. */
  group?: (typeof groupSizes)[number] | undefined;
  /** Which matrices and tables, by their path, such as `tokens.weight`; default all. */
  only?: ((path: string) => boolean) | undefined;
}

/**
 * Weight-only quantisation for a `ParamStore`: the weights of linear maps, embeddings and heads are kept packed.
 *
 * @throws InputError for an unknown type or group; when a matrix is packed, for values that are not finite or too large for a half
 * @see Dettmers et al. 2022, https://arxiv.org/abs/2208.07339; Frantar et al. 2022 (groups), https://arxiv.org/abs/2210.17323
 * @example
 * const params = new ParamStore({ source, packing: weightPacking({ dtype: 'int8' }) });
 */
export function weightPacking({ dtype, group, only = () => true }: PackingOptions): Packing {
  checkOneOf('packing: dtype', dtype, weightFormats);
  checkGroup('packing', dtype, group);
  return (path, shape, layout) =>
    only(path) ? weightPacker(shape, dtype, layout, group) : undefined;
}

/**
 * Throws unless a group size is known and the type has groups.
 *
 * @param op names the caller in the message
 * @throws InputError with what was given and what was expected
 */
export function checkGroup(op: string, dtype: WeightDtype, group: number | undefined): void {
  if (group === undefined) return;
  if (!(groupSizes as readonly number[]).includes(group)) {
    throw new InputError(`${op}: group is ${group}; expected one of ${groupSizes.join(', ')}`);
  }
  if (dtype === 'int4') return;
  throw new InputError(`${op}: group is ${group} with dtype '${dtype}'; only int4 has groups`);
}

/**
 * The weight that a matrix is kept in now.
 *
 * @param path of its layer, for the error
 * @throws InputError where it is packed by something else than `weightPacking`
 */
export function formOf({ variable, packed }: Matrix, path: string): tf.Tensor2D | PackedWeight {
  if (variable) return variable;
  if (packed instanceof PackedWeight) return packed;
  throw new InputError(`'${path}': its weight is packed in an unknown form`);
}
