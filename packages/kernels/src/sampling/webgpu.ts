import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram } from '../dispatch/program.js';
import { zeros } from '../dispatch/transfer.js';
import { keyOf, philoxWgsl } from '../philox/philox.js';
import type { SamplingOptions } from './options.js';
import { samplingStream } from './reference.js';
import { lanes, selectWgsl } from './select.js';

/** How often each token occurred. */
const countProgram = defineProgram({
  label: 'headwise/CountTokens',
  inputs: { history: 'i32' },
  outputs: { counts: 'atomic<u32>' },
  params: { size: 'u32', length: 'u32', vocabulary: 'u32' },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let i = (workgroup.y * count.x + workgroup.x) * 64u + lane;
      if (i >= params.size) { return; }
      let id = history[i];
      if (id >= 0 && u32(id) < params.vocabulary) {
        atomicAdd(&counts[(i / params.length) * params.vocabulary + u32(id)], 1u);
      }
    }
  `,
});

const params = {
  rows: 'u32',
  vocabulary: 'u32',
  temperature: 'f32',
  top_k: 'u32',
  top_p: 'f32',
  least: 'f32',
  key0: 'u32',
  key1: 'u32',
} as const;

/** One workgroup a row: its largest score, the cuts of top-k and top-p, and the draw. */
const sampleWgsl = (score: string) => /* wgsl */ `
  ${philoxWgsl}
  ${score}
  fn score(start: u32, v: u32) -> f32 { return penalised(start + v) / params.temperature; }
  ${selectWgsl}

  /** Exponentially distributed; a small word must not lose its digits in the logarithm. */
  fn exponential(word: u32) -> f32 {
    let u = min((f32(word) + 0.5) * 0x1p-32, 1.0 - 0x1p-24);
    let series = u * (1.0 + u * (0.5 + u * (1.0 / 3.0 + u * (0.25 + u * 0.2))));
    return select(-log(1.0 - u), series, u < 0.03125);
  }

  var<workgroup> values: array<f32, ${lanes}>;
  var<workgroup> indices: array<u32, ${lanes}>;

  /** Leaves the largest value, and the least index that has it, in the first place. */
  fn best_of(value: f32, index: u32, lane: u32) {
    values[lane] = value;
    indices[lane] = index;
    workgroupBarrier();
    for (var half = ${lanes / 2}u; half > 0u; half = half / 2u) {
      if (lane < half) {
        let other = values[lane + half];
        let ahead = other == values[lane] && indices[lane + half] < indices[lane];
        if (other > values[lane] || ahead) {
          values[lane] = other;
          indices[lane] = indices[lane + half];
        }
      }
      workgroupBarrier();
    }
  }

  @compute @workgroup_size(${lanes})
  fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) count: vec3u,
    @builtin(local_invocation_index) lane: u32,
  ) {
    let row = workgroup.y * count.x + workgroup.x;
    if (row >= params.rows) { return; }
    let start = row * params.vocabulary;

    var best = -3.4e38;
    var best_index = 0xffffffffu;
    for (var v = lane; v < params.vocabulary; v += ${lanes}u) {
      let value = score(start, v);
      if (value > best) {
        best = value;
        best_index = v;
      }
    }
    best_of(best, best_index, lane);
    let largest = workgroupUniformLoad(&values[0]);
    var id = workgroupUniformLoad(&indices[0]);

    if (params.top_k != 1u) {
      var cut = Cut(0u, 0xffffffffu);
      if (params.top_k > 0u) { cut = cut_after(start, lane, cut, largest, params.top_k); }
      if (params.top_p < 1.0) { cut = cut_after(start, lane, cut, largest, 0u); }

      best = -3.4e38;
      best_index = 0xffffffffu;
      for (var block = lane; 4u * block < params.vocabulary; block += ${lanes}u) {
        var words = vec4u(0u);
        var drawn = false;
        for (var word = 0u; word < 4u; word++) {
          let v = 4u * block + word;
          if (v >= params.vocabulary) { break; }
          let value = score(start, v);
          if (value - largest < params.least || !within(cut, key_of(value), v)) { continue; }
          if (!drawn) {
            let key = vec2u(params.key0, params.key1);
            words = philox(vec4u(block, row, 0u, ${samplingStream}u), key);
            drawn = true;
          }
          let perturbed = value - log(exponential(words[word]));
          if (perturbed > best) {
            best = perturbed;
            best_index = v;
          }
        }
      }
      best_of(best, best_index, lane);
      id = workgroupUniformLoad(&indices[0]);
    }
    // Where every score is −∞ or NaN there is no best one.
    if (lane == 0u) { ids[row] = i32(select(id, 0u, id == 0xffffffffu)); }
  }
`;

const plainProgram = defineProgram({
  label: 'headwise/Sample',
  inputs: { logits: 'f32' },
  outputs: { ids: 'i32' },
  params,
  wgsl: sampleWgsl('fn penalised(i: u32) -> f32 { return logits[i]; }'),
});

const penalisedProgram = defineProgram({
  label: 'headwise/SamplePenalised',
  inputs: { logits: 'f32', counts: 'u32' },
  outputs: { ids: 'i32' },
  params: { ...params, repetition: 'f32', frequency: 'f32', presence: 'f32' },
  wgsl: sampleWgsl(/* wgsl */ `
    fn penalised(i: u32) -> f32 {
      let value = logits[i];
      let times = counts[i];
      if (times == 0u) { return value; }
      let repeated = select(value * params.repetition, value / params.repetition, value > 0.0);
      return repeated - params.frequency * f32(times) - params.presence;
    }
  `),
});

interface CountArguments {
  inputs: { history: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { vocabulary: number };
}

/** @returns how often each token occurred in each row, `[B, V]` */
export function countKernel({ inputs, backend, attrs }: CountArguments): tf.TensorInfo[] {
  const [rows, length] = inputs.history.shape as [number, number];
  const { vocabulary } = attrs;
  const { counts } = dispatch(backend, countProgram, {
    inputs,
    outputs: { counts: zeros(backend, [rows, vocabulary], 'int32') },
    params: { size: rows * length, length, vocabulary },
    workgroups: spread(Math.ceil((rows * length) / 64)),
  });
  return [counts];
}

interface SampleArguments {
  inputs: { logits: tf.TensorInfo; counts?: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: Required<SamplingOptions> & { seed: number };
}

/** @returns ids, `[B]` */
export function sampleKernel({ inputs, backend, attrs }: SampleArguments): tf.TensorInfo[] {
  const { logits, counts } = inputs;
  const [rows, vocabulary] = logits.shape as [number, number];
  const greedy = attrs.temperature === 0;
  const [key0, key1] = keyOf(attrs.seed);
  const values = {
    rows,
    vocabulary,
    temperature: greedy ? 1 : attrs.temperature,
    top_k: greedy ? 1 : attrs.topK < vocabulary ? attrs.topK : 0,
    top_p: attrs.topP,
    least: attrs.minP > 0 ? Math.log(attrs.minP) : -3e38,
    key0,
    key1,
  };
  const outputs = { ids: { shape: [rows], dtype: 'int32' as const } };
  const workgroups = spread(rows);
  if (!counts) {
    const { ids } = dispatch(backend, plainProgram, {
      inputs: { logits },
      outputs,
      params: values,
      workgroups,
    });
    return [ids];
  }
  const { ids } = dispatch(backend, penalisedProgram, {
    inputs: { logits, counts },
    outputs,
    params: {
      ...values,
      repetition: attrs.repetitionPenalty,
      frequency: attrs.frequencyPenalty,
      presence: attrs.presencePenalty,
    },
    workgroups,
  });
  return [ids];
}
