import { checkShape, sizeOf } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { ElementType } from '../dispatch/program.js';
import type { Tiling } from '../matrix-product/form.js';
import { bitsOf, type PackedWeight, type WeightFormat } from '../packed-linear/pack.js';
import { loadWords } from '../packed-linear/webgpu.js';
import type { Norm } from './normalized.js';

/** A weight `[In, Out]`, in float32 or packed. */
export type DecodeWeight = tf.Tensor2D | PackedWeight;

/** How the values of a weight are kept. */
export type WeightForm = 'f32' | WeightFormat;

/** What a program and its dispatch need to know of a weight. */
export function describeWeight(weight: DecodeWeight): {
  form: WeightForm;
  inner: number;
  columns: number;
  /** Values along In that share a scale. */
  group: number;
  /** Values in a word. */
  pack: number;
  /** Values or words from one row to the next. */
  stride: number;
  /** Whether rows can be read by fours. */
  wide: boolean;
  tensors: Record<string, tf.Tensor>;
} {
  if (weight instanceof tf.Tensor) {
    const [inner, columns] = weight.shape;
    const wide = columns % 4 === 0;
    return {
      form: 'f32',
      inner,
      columns,
      group: 1,
      pack: 1,
      stride: columns,
      wide,
      tensors: { weight },
    };
  }
  const { format, in: inner, out: columns, group, words, scales } = weight;
  const tensors = { words, ...(scales ? { scales } : {}) };
  const [stride, pack] = [words.shape[1], 32 / bitsOf[format]];
  return { form: format, inner, columns, group, pack, stride, wide: true, tensors };
}

/** The element types of a weight's buffers. */
export function weightInputs(form: WeightForm, { wide }: Tiling): Record<string, ElementType> {
  if (form === 'f32') return { weight: wide ? 'vec4f' : 'f32' };
  const words = wide ? 'vec4u' : 'u32';
  return form === 'f16' ? { words } : { words, scales: 'f32' };
}

/** WGSL of `b_start` and `load_b`, and of `whole(sum, column)`, which finishes a sum. */
export function loadWeight(form: WeightForm, tiling: Tiling): string {
  const at = 'start + step * params.stride';
  const values = tiling.wide ? 'vec4f' : 'f32';
  const load =
    form === 'f32'
      ? /* wgsl */ `
        fn load_b(start: u32, step: u32) -> array<${values}, 1> {
          return array(weight[${tiling.wide ? `(${at}) / 4u` : at}]);
        }`
      : loadWords(form, tiling);
  return /* wgsl */ `
    fn b_start(column: u32) -> u32 { return column; }
    ${load}
    fn whole(sum: f32, column: u32) -> f32 { return sum${form === 'int8' ? ' * scales[column]' : ''}; }
  `;
}

/**
 * A norm's weight and bias put into the linear map that follows: `(x̂ ∘ g + β) W + b = x̂ (g ∘ W) + (β W + b)`.
 *
 * @param weight `[In, Out]`
 * @param bias `[Out]`
 * @returns the norm without them, and the map that takes their place; the caller disposes both tensors
 */
export function foldNorm<N extends Norm & { kind: 'layer' | 'rms' }>(
  norm: N,
  weight: tf.Tensor2D,
  bias: tf.Tensor1D,
): { norm: Norm; weight: tf.Tensor2D; bias: tf.Tensor1D } {
  const [inner, columns] = weight.shape;
  checkShape('foldNorm: bias', bias.shape, [columns]);
  const { kind, epsilon, weight: scale, ...rest } = norm;
  const offset = 'bias' in rest ? (rest.bias as tf.Tensor | undefined) : undefined;
  for (const tensor of [scale, offset]) {
    if (tensor) checkShape(`foldNorm: ${kind} norm`, tensor.shape, [inner]);
  }
  const folded = tf.tidy(() => ({
    weight: (scale ? weight.mul(scale.reshape([inner, 1])) : weight.clone()) as tf.Tensor2D,
    bias: (offset
      ? tf
          .matMul(offset.reshape([1, sizeOf(offset.shape)]), weight)
          .reshape([columns])
          .add(bias)
      : bias.clone()) as tf.Tensor1D,
  }));
  return { norm: { kind, ...(epsilon === undefined ? {} : { epsilon }) }, ...folded };
}
