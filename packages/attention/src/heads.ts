import { InputError } from '@headwise/core';
import { Heads } from '@headwise/kernels';
import type * as tf from '@tensorflow/tfjs';

/** The widths of an attention layer, and its number of heads. */
export interface HeadOptions {
  /** `D`, the width of the tokens that ask. */
  dim: number;
  /** `H` */
  heads: number;
  /** `Hkv`, which divides `heads`: 1 is multi-query, fewer than `heads` grouped-query; default `heads`. */
  kvHeads?: number | undefined;
  /** `Dh`; default `dim / heads`. */
  headDim?: number | undefined;
  /** `Dkv`, the width of the tokens that keys and values are made from; default `dim`. */
  kvDim?: number | undefined;
}

/** `HeadOptions` with every default filled in. */
export interface HeadSizes {
  dim: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  kvDim: number;
}

const isCount = (n: number): boolean => Number.isInteger(n) && n > 0;

/**
 * The sizes of attention, with defaults filled in.
 *
 * @throws InputError unless `heads` divides `dim` where no `headDim` is given, and `kvHeads` divides `heads`
 */
export function headSizes(options: HeadOptions): HeadSizes {
  const { dim, heads, kvHeads = heads, kvDim = dim } = options;
  if (options.headDim === undefined && !(isCount(heads) && Number.isInteger(dim / heads))) {
    throw new InputError(`attention: dim ${dim} is not divisible by heads ${heads}`);
  }
  const headDim = options.headDim ?? dim / heads;
  for (const [name, n] of Object.entries({ dim, heads, kvHeads, headDim, kvDim })) {
    if (!isCount(n)) {
      throw new InputError(`attention: ${name} is ${n}; expected a positive integer`);
    }
  }
  if (heads % kvHeads !== 0) {
    throw new InputError(`attention: kvHeads ${kvHeads} does not divide heads ${heads}`);
  }
  return { dim, heads, kvHeads, headDim, kvDim };
}

/** @param x `[B, T, N Dh]`, as a map writes it @returns its heads, `[B, N, T, Dh]`, where they lie */
export function headsIn(x: tf.Tensor, heads: number): Heads {
  const [batch, length, width] = x.shape as [number, number, number];
  return Heads.ofTokens(x.reshape([batch, length, heads, width / heads]));
}
