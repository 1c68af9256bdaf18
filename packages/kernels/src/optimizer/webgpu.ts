import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, type ParamType, variants } from '../dispatch/program.js';
import type { Rule, Step } from './rule.js';

/** Values of one lane, a workgroup's width apart. */
const perLane = 4;

const bufferOf = (slot: string) => `kept_${slot}`;
const all = <T>(names: readonly string[], value: T): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, value]));

/** One step of a rule over flat parameters, in place. */
const program = variants(
  ({ name }: Rule) => name,
  ({ name, slots, wgsl, numbers }: Rule) =>
    defineProgram<string, string, string>({
      label: `headwise/${name}`,
      inputs: { gradients: 'f32', scale: 'f32', groups: 'f32' },
      outputs: { values: 'f32', ...all(slots.map(bufferOf), 'f32') },
      params: {
        size: 'u32',
        last: 'u32',
        ...all<ParamType>(Object.keys(numbers({ step: 1, learningRate: 0 })), 'f32'),
      },
      wgsl: /* wgsl */ `
        // The number of the group that a value is in: the first one that ends after it.
        fn group_of(i: u32) -> u32 {
          var low = 0u;
          var high = params.last;
          while (low < high) {
            let middle = (low + high) / 2u;
            if (i < u32(groups[3u * middle])) { high = middle; } else { low = middle + 1u; }
          }
          return low;
        }

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
            let group = group_of(i);
            let rate = groups[3u * group + 1u];
            let decay = groups[3u * group + 2u];
            let gradient = gradients[i] * factor;
            var value = values[i];
            ${slots.map((slot) => `var ${slot} = ${bufferOf(slot)}[i];`).join('\n')}
            ${wgsl}
            ${slots.map((slot) => `${bufferOf(slot)}[i] = ${slot};`).join('\n')}
            values[i] = value;
          }
        }
      `,
    }),
);

interface Arguments {
  inputs: Record<string, tf.TensorInfo>;
  backend: WebGPUBackend;
  attrs: { rule: Rule; step: Step };
}

/** Updates `value` and the rule's slots in place; makes no output. */
export function optimizeKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { rule, step } = attrs;
  const { value, gradient, scale, groups } = inputs as Record<string, tf.TensorInfo>;
  const size = value!.shape[0]!;
  const kept = Object.fromEntries(rule.slots.map((slot) => [bufferOf(slot), inputs[slot]!]));
  dispatch(backend, program(rule), {
    inputs: { gradients: gradient!, scale: scale!, groups: groups! },
    outputs: { values: value!, ...kept },
    params: { size, last: groups!.shape[0]! - 1, ...rule.numbers(step) },
    workgroups: spread(Math.ceil(size / (64 * perLane))),
  });
  return [];
}
