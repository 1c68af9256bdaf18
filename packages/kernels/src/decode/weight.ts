import { checkShape, InputError } from '@headwise/core';
import { type MatrixLayout, sizeOf } from '@headwise/core/internal';
import * as tf from '@tensorflow/tfjs';
import { piecesOf } from '../dispatch/limits.js';
import type { ElementType, ParamType } from '../dispatch/program.js';
import { readsFours, type Tiling } from '../matrix-product/form.js';
import { formatParts, type PackedFormat, type PackedWeight } from '../packed-linear/pack.js';
import { loadWords } from '../packed-linear/webgpu.js';
import type { Norm } from './normalized.js';

/** The weight of a linear map in float32, `[In, Out]`, or `[Out, In]` in the layout `out-in`. */
export interface FloatWeight {
  readonly values: tf.Tensor2D;
  readonly layout: MatrixLayout;
}

/** The weight of a linear map as decoding reads it: in float32, or packed. */
export type DecodeWeight = FloatWeight | PackedWeight;

/** How a program reads the weights of a product. */
export interface WeightForm {
  format: 'f32' | PackedFormat;
  /** The axis whose neighbours lie side by side in memory. */
  contiguous: 'inner' | 'columns';
  /** The number of weights. */
  parts: number;
  /** Two weights of one shape, both multiplied at once, instead of parts whose columns follow each other. */
  paired: boolean;
}

/** Weights of one product: their form, their sizes, and what they add to a program's dispatch. */
export interface DescribedWeights {
  form: WeightForm;
  /** `In` */
  inner: number;
  /** `Out`, of all parts; of each weight of a pair. */
  columns: number;
  /** Values in a word. */
  pack: number;
  /** Whether four neighbours can be read at once. */
  wide: boolean;
  tensors: Record<string, tf.Tensor>;
  params(tiling: Pick<Tiling, 'pack' | 'wide'>): Record<string, number>;
}

const isPacked = (weight: DecodeWeight): weight is PackedWeight => 'words' in weight;

/** `[In, Out]` of a weight. */
export function sizesOf(weight: DecodeWeight): [inner: number, columns: number] {
  if (isPacked(weight)) return [weight.in, weight.out];
  const [rows, columns] = weight.values.shape;
  return weight.layout === 'in-out' ? [rows, columns] : [columns, rows];
}

/** The number of bindings that a weight takes. */
export function bindingsOf(device: GPUDevice, weight: DecodeWeight): number {
  const tensors = isPacked(weight) ? [weight.words, weight.scales] : [weight.values];
  return tensors.reduce((sum, tensor) => sum + (tensor ? piecesOf(device, 4 * tensor.size) : 0), 0);
}

/**
 * Describes the weights of one product.
 *
 * @param op names the operation in errors
 * @param paired whether they are two of one shape, multiplied at once
 * @throws InputError where they differ in format, layout or group; ShapeError where their sizes do not fit
 */
export function describeWeights(
  op: string,
  weights: readonly DecodeWeight[],
  paired = false,
): DescribedWeights {
  const kinds = weights.map((weight) => kindOf(weight));
  const kind = kinds[0]!;
  if (kinds.some(({ key }) => key !== kind.key)) {
    throw new InputError(
      `${op}: the weights are ${kinds.map(({ key }) => key).join(', ')}; expected one form`,
    );
  }
  const sizes = weights.map((weight) => sizesOf(weight));
  const [inner, first] = sizes[0]!;
  for (const [i, size] of sizes.entries()) {
    checkShape(`${op}: weight ${i}`, size, [inner, paired ? first : 'Out']);
  }
  const { format, contiguous, pack, group } = kind;
  const parts = weights.length;
  const form: WeightForm = { format, contiguous, parts, paired };
  // Neighbours of several parts must not lie in two of them.
  const even = sizes.slice(0, paired ? 0 : -1).every(([, columns]) => columns % 4 === 0);
  const rowsByFours = format !== 'f32' || sizes.every(([, columns]) => columns % 4 === 0);
  const wide = contiguous === 'inner' ? inner % 4 === 0 : even && rowsByFours;
  const starts = sizes.map((_, i) =>
    sizes.slice(0, i).reduce((sum, [, columns]) => sum + columns, 0),
  );
  return {
    form,
    inner,
    columns: paired ? first : sizes.reduce((sum, [, columns]) => sum + columns, 0),
    pack,
    wide,
    tensors: Object.fromEntries(
      weights.flatMap((weight, i) => {
        if (!isPacked(weight)) return [[`weight${i}`, weight.values]];
        const { words, scales } = weight;
        return [[`words${i}`, words], ...(scales ? [[`scales${i}`, scales]] : [])];
      }),
    ),
    params: (tiling) => {
      const row = contiguous === 'inner' ? inner / (readsFours(tiling) ? 4 : 1) : 1;
      const own = weights.map((weight, i) => [
        [`stride${i}`, isPacked(weight) ? weight.words.shape[1] : sizes[i]![1]],
        ...(i > 0 && !paired
          ? [
              [`column${i}`, starts[i]!],
              [`cut${i}`, starts[i]! * row],
            ]
          : []),
      ]);
      return { row, group, ...Object.fromEntries(own.flat()) };
    },
  };
}

function kindOf(weight: DecodeWeight) {
  if (!isPacked(weight)) {
    const contiguous = weight.layout === 'in-out' ? ('columns' as const) : ('inner' as const);
    return {
      key: `f32 ${weight.layout}`,
      format: 'f32' as const,
      contiguous,
      pack: 1,
      group: 1,
    };
  }
  const { format, group } = weight;
  const { bits, scales } = formatParts[format];
  // One scale for all inputs differs with their number, which is checked by itself.
  const grouped = scales === 'group';
  return {
    key: `${format}${grouped ? ` in groups of ${group}` : ''}`,
    format,
    contiguous: 'columns' as const,
    pack: 32 / bits,
    group: grouped ? group : 1,
  };
}

/** Tells the forms of single weights apart: the weights of one program have one. */
export const formKey = (weight: DecodeWeight): string => kindOf(weight).key;

/** Tells forms apart. */
export const weightKey = ({ format, contiguous, parts, paired }: WeightForm): string =>
  `${format}/${contiguous}/${parts}/${paired}`;

/** The element types of the weights' buffers. */
export function weightInputs(
  { format, parts }: WeightForm,
  tiling: Pick<Tiling, 'pack' | 'wide'>,
): Record<string, ElementType> {
  const each = (i: number): [string, ElementType][] => {
    if (format === 'f32') return [[`weight${i}`, readsFours(tiling) ? 'vec4f' : 'f32']];
    const words: [string, ElementType] = [`words${i}`, tiling.wide ? 'vec4u' : 'u32'];
    return formatParts[format].scales === 'none' ? [words] : [words, [`scales${i}`, 'f32']];
  };
  return Object.fromEntries(Array.from({ length: parts }, (_, i) => each(i)).flat());
}

/** The fields of `params` that the weights need. */
export function weightParams({ parts, paired }: WeightForm): Record<string, ParamType> {
  const names = Array.from({ length: parts }, (_, i) => [
    `stride${i}`,
    ...(i > 0 && !paired ? [`column${i}`, `cut${i}`] : []),
  ]);
  return Object.fromEntries(['row', 'group', ...names.flat()].map((name) => [name, 'u32']));
}

/**
 * WGSL of `b_start(column)` and `load_b(start, step)`, as `Tiling` has them, and of `whole(sum, column)`, which
 * finishes a sum: `f32`, or `vec2f` of a pair.
 */
export function loadWeights(form: WeightForm, tiling: Pick<Tiling, 'pack' | 'wide'>): string {
  const { format, contiguous, parts, paired } = form;
  const { wide = false, pack } = tiling;
  const indices = Array.from({ length: parts }, (_, i) => i);
  const one = wide ? 'vec4f' : 'f32';
  const values = paired ? (wide ? 'mat2x4f' : 'vec2f') : one;
  const of = (i: number) => {
    if (format !== 'f32') {
      return loadWords(format, tiling, {
        name: `load_part${i}`,
        words: `words${i}`,
        scales: `scales${i}`,
        stride: `params.stride${i}`,
      });
    }
    if (pack === 4) {
      return /* wgsl */ `
        fn load_part${i}(start: u32, step: u32) -> array<f32, 4> {
          let four = weight${i}[start + step];
          return array(four.x, four.y, four.z, four.w);
        }
      `;
    }
    const place =
      contiguous === 'inner'
        ? 'start + step'
        : wide
          ? `(start + step * params.stride${i}) / 4u`
          : `start + step * params.stride${i}`;
    return /* wgsl */ `
      fn load_part${i}(start: u32, step: u32) -> array<${one}, 1> {
        return array(weight${i}[${place}]);
      }
    `;
  };
  const pairs = Array.from({ length: pack }, (_, j) => `${values}(first[${j}], second[${j}])`);
  const load = paired
    ? `let first = load_part0(start, step); let second = load_part1(start, step); return array(${pairs.join(', ')});`
    : `${indices
        .slice(1)
        .reverse()
        .map(
          (i) =>
            `if (start >= params.cut${i}) { return load_part${i}(start - params.cut${i}, step); }`,
        )
        .join(' ')} return load_part0(start, step);`;
  const sum = paired ? 'vec2f' : 'f32';
  const byOutput = format !== 'f32' && formatParts[format].scales === 'output';
  const scaled = paired
    ? 'return sum * vec2f(scales0[column], scales1[column]);'
    : `${indices
        .slice(1)
        .reverse()
        .map(
          (i) =>
            `if (column >= params.column${i}) { return sum * scales${i}[column - params.column${i}]; }`,
        )
        .join(' ')} return sum * scales0[column];`;
  return /* wgsl */ `
    ${indices.map(of).join('')}
    fn b_start(column: u32) -> u32 { return column * params.row; }
    fn load_b(start: u32, step: u32) -> array<${values}, ${pack}> { ${load} }
    fn whole(sum: ${sum}, column: u32) -> ${sum} { ${byOutput ? scaled : 'return sum;'} }
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
