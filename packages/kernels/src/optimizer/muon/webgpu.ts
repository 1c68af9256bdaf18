import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../../dispatch/per-element.js';
import { defineProgram, variants } from '../../dispatch/program.js';
import {
  type RowGroup,
  rowGroup,
  rowGroupExtensions,
  rowGroupKey,
  rowSum,
} from '../../dispatch/row-group.js';
import { batchedProduct } from '../../matrix-product/batched.js';
import type { MuonNumbers } from './blocks.js';

/** WGSL of `place_of(matrix, row, column)`: where an element lies in the chunk, by `places`. */
const placeOf = /* wgsl */ `
  fn place_of(matrix: u32, row: u32, column: u32) -> u32 {
    return places[3u * matrix] + row * places[3u * matrix + 1u] + column * places[3u * matrix + 2u];
  }
`;

/** One over the norm of each matrix; a group of lanes a matrix. */
const inverseNormProgram = variants(rowGroupKey, (group: RowGroup) =>
  defineProgram({
    label: 'headwise/InverseNorms',
    enable: rowGroupExtensions(group),
    inputs: { average: 'f32', places: 'u32' },
    outputs: { inverses: 'f32' },
    params: { rows: 'u32', columns: 'u32', epsilon: 'f32' },
    wgsl: /* wgsl */ `
      ${placeOf}
      ${rowSum(group)}
      @compute @workgroup_size(${group.lanes})
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let matrix = workgroup.x;
        var total = 0.0;
        for (var row = 0u; row < params.rows; row++) {
          // Sums of rows join the total, as short chains round less.
          var sum = 0.0;
          for (var column = lane; column < params.columns; column += ${group.lanes}u) {
            let value = average[place_of(matrix, row, column)];
            sum += value * value;
          }
          total += sum;
        }
        total = row_sum(total, lane);
        if (lane == 0u) { inverses[matrix] = 1.0 / max(sqrt(total), params.epsilon); }
      }
    `,
  }),
);

/** The matrices of one shape one after another, each divided by its norm. */
const gatherProgram = defineProgram({
  label: 'headwise/GatherMatrices',
  inputs: { average: 'f32', places: 'u32', inverses: 'f32' },
  outputs: { x: 'f32' },
  params: { size: 'u32', rows: 'u32', columns: 'u32' },
  wgsl: /* wgsl */ `
    ${placeOf}
    ${perElement(/* wgsl */ `
      let row = i / params.columns;
      let matrix = row / params.rows;
      let place = place_of(matrix, row % params.rows, i % params.columns);
      x[i] = average[place] * inverses[matrix];
    `)}
  `,
});

/** The step of each parameter by its orthogonalised matrix, in place. */
const stepProgram = defineProgram({
  label: 'headwise/MuonStep',
  inputs: { x: 'f32', places: 'u32', factors: 'f32' },
  outputs: { value: 'f32' },
  params: { size: 'u32', rows: 'u32', columns: 'u32', learningRate: 'f32' },
  wgsl: /* wgsl */ `
    ${placeOf}
    ${perElement(/* wgsl */ `
      let row = i / params.columns;
      let matrix = row / params.rows;
      let place = place_of(matrix, row % params.rows, i % params.columns);
      let change = params.learningRate * factors[2u * matrix] * x[i];
      let kept = 1.0 - params.learningRate * factors[2u * matrix + 1u];
      value[place] = value[place] * kept - change;
    `)}
  `,
});

interface Arguments {
  inputs: Record<'value' | 'average' | 'places' | 'factors', tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: MuonNumbers & { learningRate: number; rows: number; columns: number };
}

/** Orthogonalises the matrices of one shape and makes their step, which is written to `value`; makes no output. */
export function orthogonalizeKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { value, average, places, factors } = inputs;
  const { rows, columns, epsilon, learningRate, iterations } = attrs;
  const [a, b, c] = attrs.coefficients;
  const count = places.shape[0]!;
  const size = count * rows * columns;
  const { inverses } = dispatch(backend, inverseNormProgram(rowGroup(backend)), {
    inputs: { average, places },
    outputs: { inverses: { shape: [count], dtype: 'float32' } },
    params: { rows, columns, epsilon },
    workgroups: [count],
  });
  let { x } = dispatch(backend, gatherProgram, {
    inputs: { average, places, inverses },
    outputs: { x: { shape: [count, rows, columns], dtype: 'float32' } },
    params: { size, rows, columns },
    workgroups: elementWorkgroups(size),
  });
  backend.disposeData(inverses.dataId);
  for (let i = 0; i < iterations; i++) {
    const gram = batchedProduct(backend, x, x, { transposed: true });
    const mixed = batchedProduct(backend, gram, gram, { factor: c, added: gram, addedFactor: b });
    const next = batchedProduct(backend, mixed, x, { added: x, addedFactor: a });
    for (const { dataId } of [gram, mixed, x]) backend.disposeData(dataId);
    x = next;
  }
  dispatch(backend, stepProgram, {
    inputs: { x, places, factors },
    outputs: { value },
    params: { size, rows, columns, learningRate },
    workgroups: elementWorkgroups(size),
  });
  backend.disposeData(x.dataId);
  return [];
}
