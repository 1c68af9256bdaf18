import { checkOneOf, InputError, type PackedParam, type Packing } from '@headwise/core';
import { type PackedWeight, packWeight, type WeightFormat, weightFormats } from '@headwise/kernels';

/** A matrix in half precision, or as 8- or 4-bit whole numbers with scales. */
export class PackedMatrix implements PackedParam {
  readonly shape: readonly [number, number];
  readonly weight: PackedWeight;

  constructor(shape: readonly [number, number], weight: PackedWeight) {
    this.shape = shape;
    this.weight = weight;
  }

  get bytes(): number {
    const { words, scales } = this.weight;
    return 4 * (words.size + (scales?.size ?? 0));
  }

  dispose(): void {
    this.weight.words.dispose();
    this.weight.scales?.dispose();
  }
}

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
  /** Which matrices, by their path; default all but output heads. */
  only?: ((path: string) => boolean) | undefined;
}

/** Whether a path is not an output head: rounding errors of a head go straight into the scores. */
const noHead = (path: string): boolean => !/(^|\.)(head|lmHead)(\.|$)/.test(path);

/**
 * Weight-only quantisation for a `ParamStore`: the weights of linear maps are kept packed.
 *
 * @throws InputError for an unknown type or group; when a matrix is packed, for values that are not finite or too large for a half
 * @see Dettmers et al. 2022, https://arxiv.org/abs/2208.07339; Frantar et al. 2022 (groups), https://arxiv.org/abs/2210.17323
 * @example
 * const params = new ParamStore({ source, packing: packing({ dtype: 'int8' }) });
 */
export function packing({ dtype, group, only = noHead }: PackingOptions): Packing {
  checkOneOf('packing: dtype', dtype, weightFormats);
  checkGroup('packing', dtype, group);
  return (path, values, shape, layout) =>
    only(path)
      ? new PackedMatrix(shape, packWeight(values, shape, dtype, layout, group))
      : undefined;
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
