import { defineProgram, type Program } from '../dispatch/program.js';
import { rowStart, type StrideParam, strideFields } from './strides.js';

type RowsParam = 'rows' | 'heads' | 'queries' | 'width' | StrideParam<'y'>;

/** The pre-pass of the backward: `[largest, log-sum, D, 0]` of each query, where `D = Σ y ∘ dy`. */
export const rowsProgram: Program<'y' | 'dy' | 'stats', 'rows', RowsParam> = defineProgram({
  label: 'headwise/AttentionRows',
  inputs: { y: 'f32', dy: 'f32', stats: 'f32' },
  outputs: { rows: 'vec4f' },
  params: {
    rows: 'u32',
    heads: 'u32',
    queries: 'u32',
    width: 'u32',
    ...strideFields('y'),
  },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let row = (workgroup.y * count.x + workgroup.x) * 64u + lane;
      if (row >= params.rows) { return; }
      let head = row / params.queries;
      let start = ${rowStart('y', 'head / params.heads', 'head % params.heads', 'row % params.queries')};
      var delta = 0.0;
      for (var c = 0u; c < params.width; c++) { delta += y[start + c] * dy[start + c]; }
      rows[row] = vec4f(stats[2u * row], stats[2u * row + 1u], delta, 0.0);
    }
  `,
});
