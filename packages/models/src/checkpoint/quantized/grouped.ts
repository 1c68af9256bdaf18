import { InputError } from '@headwise/core';
import { PackedWeight } from '@headwise/kernels';
import { onDevice, packedShapes } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';

/** A matrix of 4-bit levels q with a scale s and a zero point z in each group of inputs: `w = s (q − z)`. */
export interface GroupedWords {
  inner: number;
  out: number;
  /** Inputs that share a scale. */
  group: number;
  /** `[In / 8, Out]`: eight levels along In in each word, the first in the lowest bits. */
  words: Int32Array;
  /** `[In / group, Out]` */
  scales: Float32Array;
  /** As scales. */
  zeros: Uint8Array;
}

/** Outputs of a matrix, in the order of the parameter. */
export interface Outputs {
  grouped: GroupedWords;
  /** The numbers of the outputs. */
  from: Int32Array;
}

/**
 * The values `[Out, In]`, each rounded once to float32: exact for scales of 16 bits.
 *
 * @param groups the group of each input; default one after the other
 */
export function groupedValues(
  { inner, out, group, words, scales, zeros }: GroupedWords,
  groups?: Int32Array | undefined,
): Float32Array {
  const values = new Float32Array(out * inner);
  for (let i = 0; i < inner; i++) {
    const row = (i >> 3) * out;
    const shift = 4 * (i & 7);
    const own = (groups ? groups[i]! : Math.floor(i / group)) * out;
    for (let o = 0; o < out; o++) {
      const level = (words[row + o]! >>> shift) & 15;
      values[o * inner + i] = scales[own + o]! * (level - zeros[own + o]!);
    }
  }
  return values;
}

/**
 * Outputs as a packed weight `[Out, In]` of `uint4`, the words as they are: `w = q s − m` with `m = s z`, exact for scales of 16 bits.
 *
 * @returns undefined where a scale is not finite
 * @throws InputError for matrices of different groups
 */
export function packGrouped(pieces: readonly Outputs[]): PackedWeight | undefined {
  const { inner, group } = pieces[0]!.grouped;
  const out = pieces.reduce((sum, { from }) => sum + from.length, 0);
  const shapes = packedShapes(inner, out, 'uint4', group);
  const stride = shapes.words[1];
  const words = new Int32Array(shapes.words[0] * stride);
  const scales = new Float32Array(shapes.scales![0] * stride);
  let first = 0;
  for (const { grouped, from } of pieces) {
    if (grouped.group !== group || grouped.inner !== inner) {
      throw new InputError(
        `packed weight: pieces of ${inner} and ${grouped.inner} inputs in groups of ${group} and ${grouped.group}; expected the same`,
      );
    }
    for (let row = 0; row < inner / 8; row++) {
      const [to, own] = [row * stride + first, row * grouped.out];
      for (let i = 0; i < from.length; i++) words[to + i] = grouped.words[own + from[i]!]!;
    }
    for (let g = 0; g < inner / group; g++) {
      const [to, own] = [2 * g * stride + first, g * grouped.out];
      for (let i = 0; i < from.length; i++) {
        const scale = grouped.scales[own + from[i]!]!;
        if (!Number.isFinite(scale)) return undefined;
        scales[to + i] = scale;
        scales[to + stride + i] = scale * grouped.zeros[own + from[i]!]!;
      }
    }
    first += from.length;
  }
  return new PackedWeight({
    ...{ shape: [out, inner], format: 'uint4', in: inner, out, group },
    words: onDevice(tf.tensor2d(words, shapes.words, 'int32')),
    scales: onDevice(tf.tensor2d(scales, shapes.scales!, 'float32')),
  });
}

/**
 * Inputs that share a scale.
 *
 * @param size as a file has it: −1 for all
 * @throws InputError for groups that are not made of whole words, or that do not divide the inputs
 */
export function groupOf(size: number, inner: number, key: string, configName: string): number {
  const group = size === -1 ? inner : size;
  if (group > 0 && group % 8 === 0 && inner % group === 0) return group;
  throw new InputError(
    `${configName}: 'quantization_config.group_size' is ${size}, and '${key}' has ${inner} inputs; expected -1 or a multiple of 8 that divides them`,
  );
}
