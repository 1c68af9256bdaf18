import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';

/** Lanes of a workgroup in both directions. */
const lanes = 16;
/** Rows and columns of the gradient that a lane owns. */
const owned = 4;
const tile = lanes * owned;
/** Pairs that the shared memory holds. */
const depth = 16;

const unrolled = (line: (i: number) => string) =>
  Array.from({ length: owned }, (_, i) => line(i)).join('\n');

/** `dW_e = Σ_r dY[r] ⊗ A[r]` over the pairs of an expert, which are one after the other. */
const weightProgram = variants(
  (ofTokens: boolean) => `${ofTokens}`,
  (ofTokens) =>
    defineProgram({
      label: 'headwise/ExpertWeightGradient',
      inputs: {
        dy: 'f32',
        a_values: 'f32',
        ...(ofTokens ? { order: 'i32' } : {}),
        offsets: 'i32',
      } as Record<'dy' | 'a_values' | 'order' | 'offsets', ElementType>,
      outputs: { dw: 'f32' },
      params: { out: 'u32', inner: 'u32', share: 'u32' },
      wgsl: /* wgsl */ `
        var<workgroup> range: vec2u;
        var<workgroup> shared_dy: array<f32, ${depth * (tile + 1)}>;
        var<workgroup> shared_a: array<f32, ${depth * (tile + 1)}>;
        @compute @workgroup_size(${lanes}, ${lanes})
        fn main(
          @builtin(workgroup_id) workgroup: vec3u,
          @builtin(local_invocation_id) lane: vec3u,
          @builtin(local_invocation_index) index: u32,
        ) {
          if (index == 0u) {
            range = vec2u(u32(offsets[workgroup.z]), u32(offsets[workgroup.z + 1u]));
          }
          let own = workgroupUniformLoad(&range);
          let first_row = workgroup.y * ${tile}u;
          let first_column = workgroup.x * ${tile}u;
          var sums: array<array<f32, ${owned}>, ${owned}>;
          for (var first = own.x; first < own.y; first += ${depth}u) {
            for (var i = index; i < ${depth * tile}u; i += ${lanes * lanes}u) {
              let step = i / ${tile}u;
              let place = first + step;
              let known = place < own.y;
              let at = min(place, own.y - 1u);
              let row = first_row + i % ${tile}u;
              shared_dy[step * ${tile + 1}u + i % ${tile}u] =
                select(0.0, dy[at * params.out + min(row, params.out - 1u)], known);
              let column = first_column + i % ${tile}u;
              let source = ${ofTokens ? 'u32(order[at]) / params.share' : 'at'};
              shared_a[step * ${tile + 1}u + i % ${tile}u] =
                select(0.0, a_values[source * params.inner + min(column, params.inner - 1u)], known);
            }
            workgroupBarrier();
            for (var step = 0u; step < ${depth}u; step++) {
              let start = step * ${tile + 1}u;
              ${unrolled((c) => `let a${c} = shared_a[start + lane.x + ${c * lanes}u];`)}
              ${unrolled(
                (r) => `{
                  let d = shared_dy[start + lane.y * ${owned}u + ${r}u];
                  ${unrolled((c) => `sums[${r}][${c}] += d * a${c};`)}
                }`,
              )}
            }
            workgroupBarrier();
          }
          for (var r = 0u; r < ${owned}u; r++) {
            for (var c = 0u; c < ${owned}u; c++) {
              let row = first_row + lane.y * ${owned}u + r;
              let column = first_column + lane.x + c * ${lanes}u;
              if (row < params.out && column < params.inner) {
                dw[(workgroup.z * params.out + row) * params.inner + column] = sums[r][c];
              }
            }
          }
        }
      `,
    }),
);

/**
 * The gradient of all experts' weights.
 *
 * @param dy `[R, P]`, in the order of experts
 * @param a `[R, K]`, or `[N, K]` of tokens where `order` is given
 * @param offsets `[E + 1]`
 * @returns `[E P, K]`
 */
export function expertWeightGradient(
  backend: WebGPUBackend,
  dy: tf.TensorInfo,
  a: tf.TensorInfo,
  offsets: tf.TensorInfo,
  order: tf.TensorInfo | undefined,
): tf.TensorInfo {
  const [pairs, out] = dy.shape as [number, number];
  const [rows, inner] = a.shape as [number, number];
  const experts = offsets.shape[0]! - 1;
  const { dw } = dispatch(backend, weightProgram(order !== undefined), {
    inputs: { dy, a_values: a, offsets, order: order! },
    outputs: { dw: { shape: [experts * out, inner], dtype: 'float32' } },
    params: { out, inner, share: pairs / rows },
    workgroups: [Math.ceil(inner / tile), Math.ceil(out / tile), experts],
  });
  return dw;
}

/** Sums the pairs of each token. */
const sumProgram = defineProgram({
  label: 'headwise/SumOfExperts',
  inputs: { pairs: 'f32', places: 'i32' },
  outputs: { sums: 'f32' },
  params: { size: 'u32', width: 'u32', share: 'u32' },
  wgsl: perElement(/* wgsl */ `
      let token = i / params.width;
      let column = i % params.width;
      var sum = 0.0;
      for (var j = 0u; j < params.share; j++) {
        sum += pairs[u32(places[token * params.share + j]) * params.width + column];
      }
      sums[i] = sum;`),
});

/**
 * The sum of each token's pairs.
 *
 * @param pairs `[R, D]`, in the order of experts
 * @param places `[R]`
 * @returns `[N, D]`
 */
export function sumOfPairs(
  backend: WebGPUBackend,
  pairs: tf.TensorInfo,
  places: tf.TensorInfo,
  tokens: number,
): tf.TensorInfo {
  const [count, width] = pairs.shape as [number, number];
  const size = tokens * width;
  const { sums } = dispatch(backend, sumProgram, {
    inputs: { pairs, places },
    outputs: { sums: { shape: [tokens, width], dtype: 'float32' } },
    params: { size, width, share: count / tokens },
    workgroups: elementWorkgroups(size),
  });
  return sums;
}
