import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram } from '../dispatch/program.js';
import type { AdamWStep } from './state.js';

/** Values of one lane, a workgroup's width apart. */
const perLane = 4;

/** One step over flat parameters, in place; the first `decaying` values shrink. */
const program = defineProgram({
  label: 'headwise/AdamW',
  inputs: { g: 'f32', scale: 'f32' },
  outputs: { p: 'f32', m: 'f32', v: 'f32' },
  params: {
    size: 'u32',
    decaying: 'u32',
    beta1: 'f32',
    beta2: 'f32',
    rest1: 'f32',
    rest2: 'f32',
    epsilon: 'f32',
    stepSize: 'f32',
    rootScale: 'f32',
    kept: 'f32',
  },
  wgsl: /* wgsl */ `
    @compute @workgroup_size(64)
    fn main(
      @builtin(workgroup_id) workgroup: vec3u,
      @builtin(num_workgroups) count: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let start = (workgroup.y * count.x + workgroup.x) * ${64 * perLane}u + lane;
      let end = min(start + ${64 * perLane}u - lane, params.size);
      let factor = scale[0];
      for (var i = start; i < end; i += 64u) {
        let gradient = g[i] * factor;
        let first = params.beta1 * m[i] + params.rest1 * gradient;
        let second = params.beta2 * v[i] + params.rest2 * (gradient * gradient);
        m[i] = first;
        v[i] = second;
        let change = params.stepSize * (first / (sqrt(second) * params.rootScale + params.epsilon));
        p[i] = p[i] * select(1.0, params.kept, i < params.decaying) - change;
      }
    }
  `,
});

interface Arguments {
  inputs: Record<'p' | 'm' | 'v' | 'g' | 'scale', tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: AdamWStep & { decaying: number };
}

/** Updates p, m and v in place; makes no output. */
export function adamwKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { p, m, v, g, scale } = inputs;
  const { step, decaying, learningRate, beta1, beta2, epsilon, weightDecay } = attrs;
  const size = p.shape[0]!;
  dispatch(backend, program, {
    inputs: { g, scale },
    outputs: { p, m, v },
    params: {
      size,
      decaying,
      beta1,
      beta2,
      rest1: 1 - beta1,
      rest2: 1 - beta2,
      epsilon,
      stepSize: learningRate / (1 - beta1 ** step),
      rootScale: 1 / Math.sqrt(1 - beta2 ** step),
      kept: 1 - learningRate * weightDecay,
    },
    workgroups: spread(Math.ceil(size / (64 * perLane))),
  });
  return [];
}
