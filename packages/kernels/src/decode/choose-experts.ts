import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { defineProgram, variants } from '../dispatch/program.js';
import {
  type RowGroup,
  rowGroup,
  rowGroupExtensions,
  rowGroupKey,
  rowMax,
  rowSum,
} from '../dispatch/row-group.js';

/** The least float32. */
const lowest = '-0x1.fffffep+127f';

/** The lanes of a token find each choice together: the best that comes behind the one before, by score and then by number. */
const program = variants(
  ({ group, normalize }: { group: RowGroup; normalize: boolean }) =>
    `${rowGroupKey(group)}/${normalize}`,
  ({ group, normalize }) =>
    defineProgram({
      label: 'headwise/ChooseExpertsOfStep',
      enable: rowGroupExtensions(group),
      inputs: { scores: 'f32' },
      outputs: { choices: 'i32', weights: 'f32' },
      params: { experts: 'u32', k: 'u32' },
      wgsl: /* wgsl */ `
        ${rowMax(group)}
        ${rowSum(group)}
        @compute @workgroup_size(${group.lanes})
        fn main(
          @builtin(workgroup_id) workgroup: vec3u,
          @builtin(local_invocation_index) lane: u32,
        ) {
          let start = workgroup.x * params.experts;
          var own = ${lowest};
          for (var e = lane; e < params.experts; e += ${group.lanes}u) { own = max(own, scores[start + e]); }
          let most = row_max(own, lane);
          var exponentials = 0.0;
          for (var e = lane; e < params.experts; e += ${group.lanes}u) { exponentials += exp(scores[start + e] - most); }
          let all = row_sum(exponentials, lane);
          var chosen = 0.0;
          var last = 0u;
          var before = most;
          for (var j = 0u; j < params.k; j++) {
            var best = ${lowest};
            var number = params.experts;
            for (var e = lane; e < params.experts; e += ${group.lanes}u) {
              let score = scores[start + e];
              if (j > 0u && (score > before || (score == before && e <= last))) { continue; }
              if (number == params.experts || score > best) { best = score; number = e; }
            }
            before = row_max(best, lane);
            // Of equal scores the lower number, which a float32 holds.
            let first = -row_max(-f32(select(params.experts, number, best == before)), lane);
            // Of scores that are not numbers none is best.
            last = min(u32(first), params.experts - 1u);
            let weight = exp(before - most);
            chosen += weight;
            if (lane == 0u) {
              choices[workgroup.x * params.k + j] = i32(last);
              weights[workgroup.x * params.k + j] = weight;
            }
          }
          if (lane == 0u) {
            for (var j = 0u; j < params.k; j++) { weights[workgroup.x * params.k + j] /= ${normalize ? 'chosen' : 'all'}; }
          }
        }
      `,
    }),
);

/**
 * The experts of the k largest scores of each token, as `routeTokens` chooses them, and what each counts: its part of the softmax, divided by
 * the sum of the k where `normalize` says so. In one dispatch, for inference on WebGPU.
 *
 * @param scores `[N, E]`
 * @returns choices, int32, and weights: `[N, k]`
 */
export function chooseExperts(
  scores: tf.Tensor2D,
  k: number,
  normalize: boolean,
): { choices: tf.Tensor2D; weights: tf.Tensor2D } {
  const backend = tf.backend() as WebGPUBackend;
  const [tokens, experts] = scores.shape;
  const shape = [tokens, k];
  const { choices, weights } = dispatch(backend, program({ group: rowGroup(backend), normalize }), {
    inputs: { scores },
    outputs: { choices: { shape, dtype: 'int32' }, weights: { shape, dtype: 'float32' } },
    params: { experts, k },
    workgroups: [tokens],
  });
  const tensor = (info: tf.TensorInfo) => tf.engine().makeTensorFromTensorInfo(info) as tf.Tensor2D;
  return { choices: tensor(choices), weights: tensor(weights) };
}
