import { defineProgram, type Program, variants } from '../dispatch/program.js';
import { activationWgsl } from '../linear/activation.js';
import type { AdditiveActivation } from './reference.js';

/** Rows and columns of the tile of a workgroup: of queries by keys, or of either by channels. */
export const side = 16;

const params = {
  /** Heads of all batch rows: of queries, or of keys where those are the rows. */
  all: 'u32',
  heads: 'u32',
  /** Query heads that share a head of keys. */
  group: 'u32',
  queries: 'u32',
  keys: 'u32',
  /** A */
  width: 'u32',
} as const;
type Param = keyof typeof params;

const hyperbolicTangent = /* wgsl */ `
  // Beyond 9 it is 1 in float32; some drivers overflow far out.
  fn activation(z: f32) -> f32 { return tanh(clamp(z, -10.0, 10.0)); }
  fn slope(z: f32) -> f32 { let t = activation(z); return 1.0 - t * t; }
`;

/** A row more between the rows of a tile, so that a column lies in as many banks as it has rows. */
const common = (activation: AdditiveActivation): string => /* wgsl */ `
  ${activation === 'tanh' ? hyperbolicTangent : activationWgsl[activation]}
  const side = ${side}u;
  const stride = ${side + 1}u;
  var<workgroup> first_tile: array<f32, ${side * (side + 1)}>;
  var<workgroup> second_tile: array<f32, ${side * (side + 1)}>;
  fn query_at(head: u32, row: u32, channel: u32) -> f32 {
    if (row >= params.queries || channel >= params.width) { return 0.0; }
    return q[(head * params.queries + row) * params.width + channel];
  }
  fn key_at(head: u32, row: u32, channel: u32) -> f32 {
    if (row >= params.keys || channel >= params.width) { return 0.0; }
    return k[(head * params.keys + row) * params.width + channel];
  }
  fn weight_at(head: u32, channel: u32) -> f32 {
    if (channel >= params.width) { return 0.0; }
    return w[(head % params.heads) * params.width + channel];
  }
`;

/** WGSL of a gradient's slope of the scores, 0 outside. */
const slopeAt = /* wgsl */ `
  fn slope_at(head: u32, row: u32, key: u32) -> f32 {
    if (row >= params.queries || key >= params.keys) { return 0.0; }
    return ds[(head * params.queries + row) * params.keys + key];
  }
`;

const entry = /* wgsl */ `
  @compute @workgroup_size(${side}, ${side})
  fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) count: vec3u,
    @builtin(local_invocation_id) lane: vec3u,
  )
`;

const inputs = { q: 'f32', k: 'f32', w: 'f32' } as const;
type Made<I extends string, O extends string> = (
  activation: AdditiveActivation,
) => Program<I, O, Param>;

/** A lane sums the channels of one pair; a tile of channels of queries and of keys lies in shared memory. */
export const scoresProgram: Made<'q' | 'k' | 'w', 's'> = variants(
  (activation: AdditiveActivation) => activation,
  (activation) =>
    defineProgram({
      label: 'headwise/AdditiveScores',
      inputs,
      outputs: { s: 'f32' },
      params,
      wgsl: /* wgsl */ `
        ${common(activation)}
        var<workgroup> weights: array<f32, ${side}>;
        ${entry} {
          let row = workgroup.y * side + lane.y;
          let key = workgroup.x * side + lane.x;
          for (var head = workgroup.z; head < params.all; head += count.z) {
            var sum = 0.0;
            for (var begin = 0u; begin < params.width; begin += side) {
              let place = lane.y * stride + lane.x;
              first_tile[place] = query_at(head, row, begin + lane.x);
              second_tile[place] = key_at(head / params.group, workgroup.x * side + lane.y, begin + lane.x);
              if (lane.y == 0u) { weights[lane.x] = weight_at(head, begin + lane.x); }
              workgroupBarrier();
              for (var c = 0u; c < side; c++) {
                sum += weights[c]
                  * activation(first_tile[lane.y * stride + c] + second_tile[lane.x * stride + c]);
              }
              workgroupBarrier();
            }
            if (row < params.queries && key < params.keys) {
              s[(head * params.queries + row) * params.keys + key] = sum;
            }
          }
        }
      `,
    }),
);

const backwardInputs = { ...inputs, ds: 'f32' } as const;

/** A lane sums over the keys what one channel of one query gets; `dw` is each query's part of the weights' gradient. */
export const queryGradientProgram: Made<'q' | 'k' | 'w' | 'ds', 'dq' | 'dw'> = variants(
  (activation: AdditiveActivation) => activation,
  (activation) =>
    defineProgram({
      label: 'headwise/AdditiveQueryGradient',
      inputs: backwardInputs,
      outputs: { dq: 'f32', dw: 'f32' },
      params,
      wgsl: /* wgsl */ `
        ${common(activation)}
        ${slopeAt}
        ${entry} {
          let row = workgroup.y * side + lane.y;
          let channel = workgroup.x * side + lane.x;
          for (var head = workgroup.z; head < params.all; head += count.z) {
            let mine = query_at(head, row, channel);
            var slopes = 0.0;
            var values = 0.0;
            for (var begin = 0u; begin < params.keys; begin += side) {
              let place = lane.y * stride + lane.x;
              first_tile[place] = key_at(head / params.group, begin + lane.y, channel);
              second_tile[place] = slope_at(head, row, begin + lane.x);
              workgroupBarrier();
              for (var j = 0u; j < side; j++) {
                let z = mine + first_tile[j * stride + lane.x];
                let d = second_tile[lane.y * stride + j];
                slopes += d * slope(z);
                values += d * activation(z);
              }
              workgroupBarrier();
            }
            if (row < params.queries && channel < params.width) {
              let at = (head * params.queries + row) * params.width + channel;
              dq[at] = slopes * weight_at(head, channel);
              dw[at] = values;
            }
          }
        }
      `,
    }),
);

/** A lane sums over the queries of all heads that share it what one channel of one key gets. */
export const keyGradientProgram: Made<'q' | 'k' | 'w' | 'ds', 'dk'> = variants(
  (activation: AdditiveActivation) => activation,
  (activation) =>
    defineProgram({
      label: 'headwise/AdditiveKeyGradient',
      inputs: backwardInputs,
      outputs: { dk: 'f32' },
      params,
      wgsl: /* wgsl */ `
        ${common(activation)}
        ${slopeAt}
        ${entry} {
          let key = workgroup.y * side + lane.y;
          let channel = workgroup.x * side + lane.x;
          for (var shared_head = workgroup.z; shared_head < params.all; shared_head += count.z) {
            let mine = key_at(shared_head, key, channel);
            var total = 0.0;
            for (var member = 0u; member < params.group; member++) {
              let head = shared_head * params.group + member;
              var slopes = 0.0;
              for (var begin = 0u; begin < params.queries; begin += side) {
                let place = lane.y * stride + lane.x;
                first_tile[place] = query_at(head, begin + lane.y, channel);
                second_tile[place] = slope_at(head, begin + lane.y, workgroup.y * side + lane.x);
                workgroupBarrier();
                for (var i = 0u; i < side; i++) {
                  let z = mine + first_tile[i * stride + lane.x];
                  slopes += second_tile[i * stride + lane.y] * slope(z);
                }
                workgroupBarrier();
              }
              total += slopes * weight_at(head, channel);
            }
            if (key < params.keys && channel < params.width) {
              dk[(shared_head * params.keys + key) * params.width + channel] = total;
            }
          }
        }
      `,
    }),
);
