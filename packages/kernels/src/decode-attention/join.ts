import { defineProgram, type Program } from '../dispatch/program.js';

/** The second pass: brings the parts of a row to one largest score, and divides by the sum of all weights. */
export const joinProgram: Program<'partial' | 'peaks', 'y', 'size' | 'width' | 'splits'> =
  defineProgram({
    label: 'headwise/DecodeAttentionJoin',
    inputs: { partial: 'f32', peaks: 'f32' },
    outputs: { y: 'f32' },
    params: { size: 'u32', width: 'u32', splits: 'u32' },
    wgsl: /* wgsl */ `
      @compute @workgroup_size(64)
      fn main(
        @builtin(workgroup_id) workgroup: vec3u,
        @builtin(num_workgroups) count: vec3u,
        @builtin(local_invocation_index) lane: u32,
      ) {
        let i = (workgroup.y * count.x + workgroup.x) * 64u + lane;
        if (i >= params.size) { return; }
        let first = i / params.width * params.splits;
        var largest = peaks[2u * first];
        for (var n = 1u; n < params.splits; n++) { largest = max(largest, peaks[2u * (first + n)]); }
        var sum = 0.0;
        var total = 0.0;
        for (var n = 0u; n < params.splits; n++) {
          let share = exp(peaks[2u * (first + n)] - largest);
          total += share * peaks[2u * (first + n) + 1u];
          sum += share * partial[(first + n) * params.width + i % params.width];
        }
        // A sequence without tokens has no weights.
        y[i] = select(0.0, sum / total, total > 0.0);
      }
    `,
  });
