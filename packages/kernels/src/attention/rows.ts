import { defineProgram, type Program } from '../dispatch/program.js';

/** The pre-pass of the backward: `[largest, log-sum, D, 0]` of each query, where `D = Σ y ∘ dy`. */
export const rowsProgram: Program<'y' | 'dy' | 'stats', 'rows', 'rows' | 'width'> = defineProgram({
  label: 'headwise/AttentionRows',
  inputs: { y: 'f32', dy: 'f32', stats: 'f32' },
  outputs: { rows: 'vec4f' },
  params: { rows: 'u32', width: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let row = (workgroup.y * count.x + workgroup.x) * 64u + lane;
      if (row >= params.rows) { return; }
      var delta = 0.0;
      for (var c = 0u; c < params.width; c++) {
        delta += y[row * params.width + c] * dy[row * params.width + c];
      }
      rows[row] = vec4f(stats[2u * row], stats[2u * row + 1u], delta, 0.0);
    }
  `,
});
