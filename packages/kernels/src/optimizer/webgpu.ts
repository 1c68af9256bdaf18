import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch, spread } from '../dispatch/dispatch.js';
import { defineProgram, type ParamType, variants } from '../dispatch/program.js';
import type { Rule, Step } from './rule.js';

/** Fours of values of one lane, a workgroup's width apart. */
const perLane = 4;
/** Fours of one workgroup. */
const perGroup = 64 * perLane;

const bufferOf = (slot: string) => `kept_${slot}`;
const all = <T>(names: readonly string[], value: T): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, value]));

/** One step of a rule over flat parameters, in place. */
const program = variants(
  ({ name }: Rule) => name,
  ({ name, slots, wgsl, numbers }: Rule) =>
    defineProgram<string, string, string>({
      label: `headwise/${name}`,
      inputs: { gradients: 'vec4f', scale: 'f32', groups: 'f32' },
      outputs: { values: 'vec4f', ...all(slots.map(bufferOf), 'vec4f') },
      params: {
        fours: 'u32',
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
          let start = (workgroup.y * count.x + workgroup.x) * ${perGroup}u;
          if (start >= params.fours) { return; }
          let end = min(start + ${perGroup}u, params.fours);
          let factor = scale[0];
          // Most workgroups lie within one group: no lane looks for its own.
          let first = group_of(4u * start);
          let mixed = first != group_of(4u * end - 1u);
          var rate = vec4f(groups[3u * first + 1u]);
          var decay = vec4f(groups[3u * first + 2u]);
          for (var i = start + lane; i < end; i += 64u) {
            if (mixed) {
              let of_each = vec4u(group_of(4u * i), group_of(4u * i + 1u), group_of(4u * i + 2u), group_of(4u * i + 3u));
              let at = 3u * of_each;
              rate = vec4f(groups[at.x + 1u], groups[at.y + 1u], groups[at.z + 1u], groups[at.w + 1u]);
              decay = vec4f(groups[at.x + 2u], groups[at.y + 2u], groups[at.z + 2u], groups[at.w + 2u]);
            }
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

/** The size of a flat tensor for `optimizeKernel`, which goes by fours: that of its values, or up to three more. */
export const inFours = (values: number): number => 4 * Math.ceil(values / 4);

/** Updates `value` and the rule's slots in place, flat tensors of sizes as `inFours` gives them; makes no output. */
export function optimizeKernel({ inputs, backend, attrs }: Arguments): tf.TensorInfo[] {
  const { rule, step } = attrs;
  const { value, gradient, scale, groups } = inputs as Record<string, tf.TensorInfo>;
  const fours = value!.shape[0]! / 4;
  const kept = Object.fromEntries(rule.slots.map((slot) => [bufferOf(slot), inputs[slot]!]));
  dispatch(backend, program(rule), {
    inputs: { gradients: gradient!, scale: scale!, groups: groups! },
    outputs: { values: value!, ...kept },
    params: { fours, last: groups!.shape[0]! - 1, ...rule.numbers(step) },
    workgroups: spread(Math.ceil(fours / perGroup)),
  });
  return [];
}
