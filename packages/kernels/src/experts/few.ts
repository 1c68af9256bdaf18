import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import { bitsOf, type PackedFormat } from '../packed-linear/pack.js';
import { loadWords, scalesInput, timesOutputScale } from '../packed-linear/webgpu.js';
import type { ExpertWeights } from './product.js';

/** As many pairs as are multiplied one by one: each then reads a weight of its own, as the tokens of a decoding step do. */
export const fewPairs = 32;

/** Lanes of a workgroup. */
const lanes = 64;
/** Lanes that share the inner axis of a column. */
const slices = 8;
/** Columns of a workgroup. */
export const pairColumns: number = lanes / slices;

/** How weights of experts are read. */
export interface PairForm {
  format: PackedFormat | 'f32';
  /** Whether weights of float32 are read by fours. */
  wide: boolean;
}

interface Variant extends PairForm {
  ofTokens: boolean;
}

type Names = 'a_values' | 'b_values' | 'words' | 'scales' | 'order' | 'choices';

/** The element types of the weights' buffers. */
export const pairInputs = ({ format, wide }: PairForm): Record<string, ElementType> =>
  format === 'f32'
    ? { b_values: wide ? 'vec4f' : 'f32' }
    : { words: 'u32', ...scalesInput(format) };

/**
 * WGSL of a workgroup of 64 lanes that multiplies rows with eight columns: `load_b` where weights are packed, `slice_of(lane)`,
 * `column_of(lane)`, and `whole_sum(sum, lane)`, which adds the slices of a column up for the lanes of the first slice.
 */
export const pairLanes = ({ format }: PairForm): string => {
  // Neighbouring lanes read what lies side by side: the inner axis of float32, and the columns of words.
  const [column, slice] =
    format === 'f32'
      ? [`lane / ${slices}u`, `lane % ${slices}u`]
      : [`lane % ${pairColumns}u`, `lane / ${pairColumns}u`];
  return /* wgsl */ `
    ${format === 'f32' ? '' : loadWords(format, { pack: 32 / bitsOf(format) })}
    fn slice_of(lane: u32) -> u32 { return ${slice}; }
    fn column_of(lane: u32) -> u32 { return ${column}; }
    var<workgroup> partial: array<f32, ${lanes}>;
    fn whole_sum(sum: f32, lane: u32) -> f32 {
      partial[slice_of(lane) * ${pairColumns}u + column_of(lane)] = sum;
      workgroupBarrier();
      var total = 0.0;
      for (var other = 0u; other < ${slices}u; other++) { total += partial[other * ${pairColumns}u + column_of(lane)]; }
      return total;
    }
  `;
};

/**
 * WGSL that adds `a · b` over the inner axis to `sum`, each slice in steps of its own. In scope: `sum`, `slice`, `a_start`, and `column`,
 * one of all experts.
 */
export function pairSteps({ format, wide }: PairForm): string {
  if (format !== 'f32') {
    const perWord = 32 / bitsOf(format);
    const step = Array.from(
      { length: perWord },
      (_, j) => `sum += b[${j}] * a_values[a_start + min(k + ${j}u, params.inner - 1u)];`,
    );
    // Values of a word beyond the inner size are 0.
    return /* wgsl */ `
      for (var step = slice; step * ${perWord}u < params.inner; step += ${slices}u) {
        let b = load_b(column, step);
        let k = step * ${perWord}u;
        ${step.join('\n')}
      }
    `;
  }
  const four = ['x', 'y', 'z', 'w'].map((_, i) => `a_values[a_start + 4u * k + ${i}u]`);
  const [size, a] = wide
    ? ['params.inner / 4u', `vec4f(${four.join(', ')})`]
    : ['params.inner', 'a_values[a_start + k]'];
  return /* wgsl */ `
    let b_start = column * ${size};
    for (var k = slice; k < ${size}; k += ${slices}u) {
      sum += ${wide ? `dot(b_values[b_start + k], ${a})` : `b_values[b_start + k] * ${a}`};
    }
  `;
}

const program = variants(
  ({ ofTokens, format, wide }: Variant) => `${ofTokens}/${format}/${wide}`,
  (variant) => {
    const { ofTokens, format } = variant;
    return defineProgram({
      label: 'headwise/ExpertRows',
      inputs: {
        a_values: 'f32',
        ...pairInputs(variant),
        order: 'i32',
        choices: 'i32',
      } as Record<Names, ElementType>,
      outputs: { c_values: 'f32' },
      params: { columns: 'u32', inner: 'u32', share: 'u32', group: 'u32', stride: 'u32' },
      wgsl: /* wgsl */ `
        ${pairLanes(variant)}
        @compute @workgroup_size(${lanes})
        fn main(
          @builtin(workgroup_id) workgroup: vec3u,
          @builtin(local_invocation_index) lane: u32,
        ) {
          let place = workgroup.y;
          let pair = u32(order[place]);
          let a_start = ${ofTokens ? 'pair / params.share' : 'place'} * params.inner;
          let own = workgroup.x * ${pairColumns}u + column_of(lane);
          let slice = slice_of(lane);
          // A column of all experts' weights.
          let column = u32(choices[pair]) * params.columns + min(own, params.columns - 1u);
          var sum = 0.0;
          ${pairSteps(variant)}
          let total = whole_sum(sum, lane);
          if (slice == 0u && own < params.columns) {
            c_values[place * params.columns + own] = total${format === 'f32' ? '' : timesOutputScale(format)};
          }
        }
      `,
    });
  },
);

/**
 * Each pair's row times the weight of its expert, in one dispatch.
 *
 * @param a `[R, K]` in the order of experts, or `[N, K]` of tokens as `ofTokens` says
 * @param weights `[E P, K]`, not transposed
 * @returns `[R, P]`
 */
export function expertRows(
  backend: WebGPUBackend,
  a: tf.TensorInfo,
  weights: ExpertWeights,
  { order, choices }: { order: tf.TensorInfo; choices: tf.TensorInfo },
  { outputs, ofTokens }: { outputs: number; ofTokens: boolean },
): tf.TensorInfo {
  const [rows, inner] = a.shape as [number, number];
  const pairs = order.shape[0]!;
  const packed = 'words' in weights;
  const format = packed ? weights.format : 'f32';
  const wide = !packed && inner % 4 === 0;
  const inputs = {
    ...{ a_values: a, order, choices },
    ...(packed ? { words: weights.words } : { b_values: weights.values }),
    ...(packed && weights.scales ? { scales: weights.scales } : {}),
  };
  const { c_values: c } = dispatch(backend, program({ ofTokens, format, wide }), {
    inputs: inputs as Record<Names, tf.TensorInfo>,
    outputs: { c_values: { shape: [pairs, outputs], dtype: 'float32' } },
    params: {
      columns: outputs,
      inner,
      share: pairs / rows,
      group: packed ? weights.group : 1,
      stride: packed ? weights.words.shape[1]! : 1,
    },
    workgroups: [Math.ceil(outputs / pairColumns), pairs],
  });
  return c;
}
