import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { lowest, peakWgsl } from '../dispatch/peak.js';
import { defineProgram } from '../dispatch/program.js';
import { perRow } from '../dispatch/row-group.js';

const lanes = 256;

/**
 * One workgroup a row. Each lane holds the best of its scores that was not taken; a round takes the best of all lanes, and only its
 * lane searches again.
 */
const bestProgram = defineProgram({
  label: 'headwise/BestScores',
  inputs: { scores: 'f32' },
  outputs: { best: 'i32' },
  params: { rows: 'u32', vocabulary: 'u32', count: 'u32', lanes: 'u32' },
  wgsl: /* wgsl */ `
    ${peakWgsl()}
    const none = 0xffffffffu;
    var<workgroup> values: array<f32, ${lanes}>;
    var<workgroup> indices: array<u32, ${lanes}>;
    var<workgroup> peaks: array<Peak, ${lanes}>;
    // The complement of the first token with a score that is NaN or +∞, or 0.
    var<workgroup> refused: atomic<u32>;

    /** Leaves the best of the lane's scores after (value, index), in the order of scores, then numbers, in its place. */
    fn search(start: u32, lane: u32, value: f32, index: u32) {
      var best = ${lowest};
      var found = none;
      for (var v = lane; v < params.vocabulary; v += ${lanes}u) {
        let own = scores[start + v];
        let behind = index == none || own < value || (own == value && v > index);
        if (behind && own >= ${lowest} && (own > best || found == none)) {
          best = own;
          found = v;
        }
      }
      values[lane] = best;
      indices[lane] = found;
    }

    var<workgroup> places: array<u32, ${lanes}>;
    fn ahead(a: u32, b: u32) -> bool {
      if (indices[a] == none || indices[b] == none) { return indices[b] == none; }
      return values[a] > values[b] || (values[a] == values[b] && indices[a] < indices[b]);
    }
    /** The lane that holds the best score. */
    fn best_lane(lane: u32) -> u32 {
      places[lane] = lane;
      workgroupBarrier();
      for (var half = params.lanes / 2u; half > 0u; half = half / 2u) {
        if (lane < half && !ahead(places[lane], places[lane + half])) { places[lane] = places[lane + half]; }
        workgroupBarrier();
      }
      return workgroupUniformLoad(&places[0]);
    }

    ${perRow(
      lanes,
      'params.rows',
      /* wgsl */ `
      let start = row * params.vocabulary;
      let target_start = row * (2u * params.count + 2u);
      var own = Peak(${lowest}, 0.0);
      for (var v = lane; v < params.vocabulary; v += ${lanes}u) {
        let score = scores[start + v];
        let bits = bitcast<u32>(score);
        if ((bits & 0x7fffffffu) >= 0x7f800000u && bits != 0xff800000u) { atomicMax(&refused, ~v); }
        if (score >= ${lowest}) { own = raised(own, score); }
      }
      peaks[lane] = own;
      search(start, lane, 0.0, none);
      for (var round = 0u; round < params.count; round++) {
        let chosen = best_lane(lane);
        if (lane == chosen) {
          best[target_start + 2u + round] = i32(indices[lane]);
          best[target_start + 2u + params.count + round] = bitcast<i32>(values[lane]);
          if (indices[lane] != none) { search(start, lane, values[lane], indices[lane]); }
        }
        workgroupBarrier();
      }
      if (lane != 0u) { return; }
      var all = Peak(${lowest}, 0.0);
      for (var i = 0u; i < params.lanes; i++) {
        let other = peaks[i];
        if (other.sum == 0.0) { continue; }
        let largest = max(all.largest, other.largest);
        all = Peak(largest, all.sum * exp(all.largest - largest) + other.sum * exp(other.largest - largest));
      }
      best[target_start] = i32(atomicLoad(&refused));
      best[target_start + 1u] = bitcast<i32>(all.largest + log(all.sum));
    `,
    )}
  `,
});

interface BestArguments {
  inputs: { scores: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { count: number };
}

/** @returns `[N, 2 + 2 k]`, int32, by row: the complement of a refused token or 0, the log-sum-exp, ids, scores */
export function bestScoresKernel({ inputs, backend, attrs }: BestArguments): tf.TensorInfo[] {
  const [rows, vocabulary] = inputs.scores.shape as [number, number];
  const { best } = dispatch(backend, bestProgram, {
    inputs: { scores: inputs.scores },
    outputs: { best: { shape: [rows, 2 + 2 * attrs.count], dtype: 'int32' } },
    params: { rows, vocabulary, count: attrs.count, lanes },
    workgroups: spread(rows),
  });
  return [best!];
}
