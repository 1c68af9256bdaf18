import { checkOneOf, type PackedParam, type Packing } from '@headwise/core';
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

export interface PackingOptions {
  /** `f16`, `int8` with a scale for each output, or `int4` with a scale for each group of inputs. */
  format: WeightFormat;
  /** Inputs that share a scale, for `int4`; default 32. */
  group?: 32 | 64;
  /** Which matrices, by their path; default all but output heads. */
  only?: (path: string) => boolean;
}

/** Whether a path is not an output head: rounding errors of a head go straight into the scores. */
const noHead = (path: string): boolean => !/(^|\.)(head|lmHead)(\.|$)/.test(path);

/**
 * Weight-only quantisation for a `ParamStore`: the weights of linear maps are kept packed.
 *
 * @throws InputError for an unknown format; when a matrix is packed, for values that are not finite or too large for a half
 * @see Dettmers et al. 2022, https://arxiv.org/abs/2208.07339; Frantar et al. 2022 (groups), https://arxiv.org/abs/2210.17323
 * @example
 * const params = new ParamStore({ source, packing: packing({ format: 'int8' }) });
 */
export function packing({ format, group = 32, only = noHead }: PackingOptions): Packing {
  checkOneOf('packing: format', format, weightFormats);
  return (path, values, shape, layout) =>
    only(path)
      ? new PackedMatrix(shape, packWeight(values, shape, format, layout, group))
      : undefined;
}
