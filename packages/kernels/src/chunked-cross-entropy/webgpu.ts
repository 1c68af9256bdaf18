import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { crossEntropyGradientInPlace, type GradientArguments } from '../cross-entropy/webgpu.js';
import { dispatch } from '../dispatch/dispatch.js';
import { boundParts, elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram } from '../dispatch/program.js';

const addInPlaceProgram = defineProgram({
  label: 'headwise/AddInPlace',
  inputs: { addend: 'f32' },
  outputs: { sum: 'f32' },
  params: { size: 'u32' },
  wgsl: perElement(/* wgsl */ `sum[i] += addend[i];`),
});

interface AddArguments {
  inputs: { sum: tf.TensorInfo; addend: tf.TensorInfo };
  backend: WebGPUBackend;
}

/** Adds a tensor in place to one that no other operation reads; makes no output. */
export function addInPlaceKernel({ inputs, backend }: AddArguments): tf.TensorInfo[] {
  const { sum, addend } = inputs;
  for (const { size, range } of boundParts(backend, sizeOf(sum.shape))) {
    dispatch(backend, addInPlaceProgram, {
      inputs: { addend },
      outputs: { sum },
      params: { size },
      workgroups: elementWorkgroups(size),
      ranges: { sum: range, addend: range },
    });
  }
  return [];
}

/** Replaces logits by their gradient; makes no output. */
export function crossEntropyGradientInPlaceKernel(args: GradientArguments): tf.TensorInfo[] {
  crossEntropyGradientInPlace(args);
  return [];
}

const lanes = 256;

/** WGSL (`f32`) of the sum of `value(i)` over all elements, by one workgroup, in a fixed order; all lanes get it. */
const groupSum = (name: string, value: string): string => /* wgsl */ `
  var own_${name} = 0.0;
  for (var i = lane; i < params.size; i += ${lanes}u) { own_${name} += ${value}; }
  sums[lane] = own_${name};
  for (var half = ${lanes / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  workgroupBarrier();
  let ${name} = sums[0];
`;

/** What each row's loss counts for in the mean: `1 / n` of the `n` rows with a label, 0 for others. */
const sharesProgram = defineProgram({
  label: 'headwise/LabelShares',
  inputs: { labels: 'i32' },
  outputs: { shares: 'f32' },
  params: { size: 'u32', ignored: 'i32' },
  wgsl: /* wgsl */ `
    var<workgroup> sums: array<f32, ${lanes}>;
    @compute @workgroup_size(${lanes})
    fn main(@builtin(local_invocation_index) lane: u32) {
      ${groupSum('count', 'select(1.0, 0.0, labels[i] == params.ignored)')}
      let share = 1.0 / max(count, 1.0);
      for (var i = lane; i < params.size; i += ${lanes}u) {
        shares[i] = select(share, 0.0, labels[i] == params.ignored);
      }
    }
  `,
});

const weightedSumProgram = defineProgram({
  label: 'headwise/WeightedSum',
  inputs: { x: 'f32', weights: 'f32' },
  outputs: { sum: 'f32' },
  params: { size: 'u32' },
  wgsl: /* wgsl */ `
    var<workgroup> sums: array<f32, ${lanes}>;
    @compute @workgroup_size(${lanes})
    fn main(@builtin(local_invocation_index) lane: u32) {
      ${groupSum('total', 'x[i] * weights[i]')}
      if (lane == 0u) { sum[0] = total; }
    }
  `,
});

interface SharesArguments {
  inputs: { labels: tf.TensorInfo };
  backend: WebGPUBackend;
  attrs: { ignoreIndex: number };
}

/** @returns the shares of the rows, `[N]` */
export function labelSharesKernel({ inputs, backend, attrs }: SharesArguments): tf.TensorInfo[] {
  const { shape } = inputs.labels;
  const { shares } = dispatch(backend, sharesProgram, {
    inputs,
    outputs: { shares: { shape, dtype: 'float32' } },
    params: { size: sizeOf(shape), ignored: attrs.ignoreIndex },
    workgroups: [1],
  });
  return [shares];
}

interface SumArguments {
  inputs: { x: tf.TensorInfo; weights: tf.TensorInfo };
  backend: WebGPUBackend;
}

/** @returns `Σ x w`, a scalar */
export function weightedSumKernel({ inputs, backend }: SumArguments): tf.TensorInfo[] {
  const { sum } = dispatch(backend, weightedSumProgram, {
    inputs,
    outputs: { sum: { shape: [], dtype: 'float32' } },
    params: { size: sizeOf(inputs.x.shape) },
    workgroups: [1],
  });
  return [sum];
}
