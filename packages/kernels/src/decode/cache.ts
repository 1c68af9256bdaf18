import { checkShape, InputError } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { lowest } from '../dispatch/peak.js';
import { defineProgram, type ElementType, variants } from '../dispatch/program.js';
import type { Tiling } from '../matrix-product/form.js';
import { tilingFor } from '../matrix-product/tiling.js';
import {
  describeNorm,
  loadNormalized,
  type Norm,
  type NormForm,
  normInputs,
  normKey,
  statisticsPrologue,
} from './normalized.js';
import {
  type DecodeWeight,
  describeWeight,
  loadWeight,
  type WeightForm,
  weightInputs,
} from './weight.js';

interface Variant {
  tiling: Tiling;
  norm: NormForm;
  weight: WeightForm;
}

const projectProgram = variants(
  ({ tiling, norm, weight }: Variant) => [tiling.key, normKey(norm), weight].join('/'),
  ({ tiling, norm, weight }) =>
    defineProgram({
      label: 'headwise/ProjectIntoCache',
      enable: tiling.enable,
      inputs: {
        x: 'f32',
        ...weightInputs(weight, tiling),
        bias: 'f32',
        position: 'i32',
        ...normInputs(norm),
      } as Record<string, ElementType>,
      outputs: { q: 'f32', cache: 'f32' },
      params: {
        rows: 'u32',
        columns: 'u32',
        stride: 'u32',
        inner: 'u32',
        steps: 'u32',
        group: 'u32',
        epsilon: 'f32',
        head_dim: 'u32',
        max_length: 'u32',
      },
      wgsl: /* wgsl */ `
        ${loadNormalized(norm)}
        ${loadWeight(weight, tiling)}
        fn store(row: u32, column: u32, sum: f32) {
          let value = whole(sum, column) + bias[column];
          let dim = params.columns / 3u;
          if (column < dim) {
            q[column] = value;
            return;
          }
          // Keys of all heads, then values: [2, H, maxLength, Dh].
          let head = (column - dim) / params.head_dim;
          let at = head * params.max_length + u32(position[0]);
          cache[at * params.head_dim + (column - dim) % params.head_dim] = value;
        }
        ${tiling.wgsl}
      `,
    }),
);

/** Keys and values of one attention layer, `[2, H, maxLength, Dh]`, that is written in place. */
export type StaticCache = tf.Tensor4D;

export interface ProjectOptions {
  /** Applied to the row before; default none. */
  norm?: Norm;
  /** `[D, 3 D]`, perhaps packed: queries, keys and values of all heads side by side. */
  weight: DecodeWeight;
  /** `[3 D]` */
  bias: tf.Tensor1D;
  cache: StaticCache;
  /** int32, `[1]`: where in the cache this token belongs; it must be less than its length. */
  position: tf.Tensor1D;
}

/**
 * Queries of one token, and its keys and values written into a cache, in one dispatch; nothing else of
 * the cache moves. For inference on WebGPU: it has no gradient.
 *
 * @param x `[1, D]`
 * @returns q `[1, D]`
 * @throws ShapeError where shapes do not fit
 */
export function projectIntoCache(x: tf.Tensor2D, options: ProjectOptions): tf.Tensor2D {
  const { norm = { kind: 'none' }, weight, bias, cache, position } = options;
  const [, heads, maxLength, headDim] = cache.shape;
  const dim = heads * headDim;
  const {
    form: weightForm,
    inner,
    columns,
    group,
    pack,
    stride,
    wide,
    tensors,
  } = describeWeight(weight);
  checkShape('projectIntoCache: cache', cache.shape, [2, heads, maxLength, headDim]);
  checkShape('projectIntoCache: x', x.shape, [1, dim]);
  checkShape('projectIntoCache: weight', [inner, columns], [dim, 3 * dim]);
  checkShape('projectIntoCache: bias', bias.shape, [3 * dim]);
  checkShape('projectIntoCache: position', position.shape, [1]);
  const {
    form: normForm,
    tensors: normTensors,
    epsilon,
  } = describeNorm('projectIntoCache', norm, dim);
  const backend = tf.backend() as WebGPUBackend;
  const prologue = statisticsPrologue(normForm);
  const form = { value: 'f32', pack, columnSums: false, prologue, wide } as const;
  const tiling = tilingFor(backend, form, 1, 'columns');
  const program = projectProgram({ tiling, norm: normForm, weight: weightForm });
  const { q } = dispatch(backend, program, {
    inputs: { x, ...tensors, bias, position, ...normTensors },
    outputs: { q: { shape: [1, dim], dtype: 'float32' }, cache },
    params: {
      rows: 1,
      columns,
      stride,
      inner,
      steps: Math.ceil(inner / tiling.pack),
      group,
      epsilon,
      head_dim: headDim,
      max_length: maxLength,
    },
    workgroups: tiling.workgroups(1, columns),
  });
  return tf.engine().makeTensorFromTensorInfo(q) as tf.Tensor2D;
}

/** Lanes of a head. */
const lanes = 64;
/** Keys whose weights are held at a time. */
const chunk = 256;
const widest = 256;

/** Keys and values are read four numbers at a time where the width of a head allows it: `pack` of 4, else 1. */
const attendProgram = variants(String, (pack: 4 | 1) => {
  const type = pack === 4 ? 'vec4f' : 'f32';
  const product = (x: string, y: string) => (pack === 4 ? `dot(${x}, ${y})` : `${x} * ${y}`);
  // What one lane sums up of a head as wide as any.
  const columns = Math.ceil(widest / pack / lanes);
  // Counted from a number that is not known: some drivers unroll what they can count.
  const overLanes = (from: string, body: string) =>
    `for (var n = ${from}; n < ${from} + ${lanes}u; n++) { ${body} }`;
  return defineProgram({
    label: 'headwise/AttendCached',
    inputs: { q: type, cache: type, position: 'i32' },
    outputs: { y: type },
    params: { heads: 'u32', width: 'u32', max_length: 'u32', scale: 'f32' },
    wgsl: /* wgsl */ `
      var<workgroup> q_row: array<${type}, ${widest / pack}>;
      var<workgroup> weights: array<f32, ${chunk}>;
      var<workgroup> of_lanes: array<f32, ${lanes}>;
      const lowest = ${lowest};
      @compute @workgroup_size(${lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let head = workgroup.x;
        let width = params.width;
        let length = u32(position[0]) + 1u;
        let keys = head * params.max_length * width;
        let values = keys + params.heads * params.max_length * width;
        for (var c = lane; c < width; c += ${lanes}u) { q_row[c] = q[head * width + c] * params.scale; }
        workgroupBarrier();

        var sums: array<${type}, ${columns}>;
        // Of the lane's own keys.
        var total = 0.0;
        var highest = lowest;
        for (var first = 0u; first < length; first += ${chunk}u) {
          let count = min(${chunk}u, length - first);
          var own = lowest;
          for (var j = lane; j < count; j += ${lanes}u) {
            var score = 0.0;
            let key = keys + (first + j) * width;
            for (var c = 0u; c < width; c++) { score += ${product('q_row[c]', 'cache[key + c]')}; }
            weights[j] = score;
            own = max(own, score);
          }
          of_lanes[lane] = own;
          workgroupBarrier();
          let before = highest;
          ${overLanes('first', 'highest = max(highest, of_lanes[n - first]);')}
          let shrink = exp(before - highest);
          total *= shrink;
          for (var j = lane; j < count; j += ${lanes}u) {
            let weight = exp(weights[j] - highest);
            weights[j] = weight;
            total += weight;
          }
          workgroupBarrier();
          for (var c = lane; c < width; c += ${lanes}u) {
            var sum = sums[c / ${lanes}u] * shrink;
            let value = values + first * width + c;
            for (var j = 0u; j < count; j++) { sum += weights[j] * cache[value + j * width]; }
            sums[c / ${lanes}u] = sum;
          }
          workgroupBarrier();
        }
        of_lanes[lane] = total;
        workgroupBarrier();
        var whole = 0.0;
        ${overLanes('keys', 'whole += of_lanes[n - keys];')}
        for (var c = lane; c < width; c += ${lanes}u) { y[head * width + c] = sums[c / ${lanes}u] / whole; }
      }
    `,
  });
});

/**
 * Attention of one token to a cache up to its own position: `softmax(q Kᵀ / √Dh) V` in every head, in
 * one dispatch. For inference on WebGPU: it has no gradient.
 *
 * @param q `[1, D]`
 * @param position int32, `[1]`: that of the token
 * @returns `[1, D]`
 * @throws ShapeError where shapes do not fit, InputError for heads wider than 256
 */
export function attendCached(
  q: tf.Tensor2D,
  cache: StaticCache,
  position: tf.Tensor1D,
): tf.Tensor2D {
  const [, heads, maxLength, headDim] = cache.shape;
  if (headDim > widest) {
    throw new InputError(`attendCached: heads are ${headDim} wide; expected at most ${widest}`);
  }
  checkShape('attendCached: cache', cache.shape, [2, heads, maxLength, headDim]);
  checkShape('attendCached: q', q.shape, [1, heads * headDim]);
  checkShape('attendCached: position', position.shape, [1]);
  const pack = headDim % 4 === 0 ? 4 : 1;
  const { y } = dispatch(tf.backend() as WebGPUBackend, attendProgram(pack), {
    inputs: { q, cache, position },
    outputs: { y: { shape: [1, heads * headDim], dtype: 'float32' } },
    params: { heads, width: headDim / pack, max_length: maxLength, scale: 1 / Math.sqrt(headDim) },
    workgroups: [heads],
  });
  return tf.engine().makeTensorFromTensorInfo(y) as tf.Tensor2D;
}
