import { sizeOf } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { dispatch } from '../dispatch/dispatch.js';
import { elementWorkgroups, perElement } from '../dispatch/per-element.js';
import { defineProgram, variants } from '../dispatch/program.js';
import { hasKernel, registerWebGPUKernel, runKernel } from '../dispatch/register.js';

/** A float of 16 bits: IEEE 754's half, or the upper half of a float32. */
export type HalfType = 'F16' | 'BF16';

/**
 * WGSL of `widened(half: u32) -> u32`: the bits of a float32 from those of a half, in integers, as a device may flush
 * subnormal floats and change the bits of a NaN.
 */
const widened: Readonly<Record<HalfType, string>> = {
  BF16: /* wgsl */ `fn widened(half: u32) -> u32 { return half << 16u; }`,
  F16: /* wgsl */ `
    fn widened(half: u32) -> u32 {
      let sign = (half & 0x8000u) << 16u;
      let exponent = (half >> 10u) & 31u;
      let fraction = half & 1023u;
      // A subnormal half is a whole number of 2^-24.
      let small = bitcast<u32>(f32(fraction) * 0x1p-24f);
      let large = (select(exponent + 112u, 255u, exponent == 31u) << 23u) | (fraction << 13u);
      return sign | select(large, small, exponent == 0u);
    }`,
};

/** WGSL of `four(words: vec2u) -> vec4u`: the values of two words. */
const four = /* wgsl */ `
  fn four(words: vec2u) -> vec4u {
    return vec4u(
      widened(words.x & 0xffffu), widened(words.x >> 16u),
      widened(words.y & 0xffffu), widened(words.y >> 16u),
    );
  }`;

/** How many values an element of the program has, and what becomes of element `i`. */
const widths = {
  1: {
    words: 'u32',
    values: 'u32',
    body: /* wgsl */ `values[i] = widened((words[i / 2u] >> (16u * (i % 2u))) & 0xffffu);`,
  },
  4: { words: 'vec2u', values: 'vec4u', body: /* wgsl */ `values[i] = four(words[i]);` },
  // Half the time of fours on a software adapter, whose loads and stores are what takes long.
  8: {
    words: 'vec4u',
    values: 'vec4u',
    body: /* wgsl */ `
      let found = words[i];
      values[2u * i] = four(found.xy);
      values[2u * i + 1u] = four(found.zw);`,
  },
} as const;

const widenProgram = variants(
  ({ type, width }: { type: HalfType; width: keyof typeof widths }) => `${type}/${width}`,
  ({ type, width }) => {
    const { words, values, body } = widths[width];
    return defineProgram({
      label: `headwise/Widen${type}`,
      inputs: { words },
      outputs: { values },
      params: { size: 'u32' },
      wgsl: widened[type] + four + perElement(body),
    });
  },
);

interface Arguments {
  inputs: { words: tf.TensorInfo };
  attrs: { type: HalfType; shape: readonly number[] };
  backend: WebGPUBackend;
}

function widenKernel({
  inputs: { words },
  attrs: { type, shape },
  backend,
}: Arguments): tf.TensorInfo {
  const count = sizeOf(shape);
  const width = count % 8 === 0 ? 8 : count % 4 === 0 ? 4 : 1;
  const size = count / width;
  return dispatch(backend, widenProgram({ type, width }), {
    inputs: { words },
    outputs: { values: { shape: [...shape], dtype: 'float32' } },
    params: { size },
    workgroups: elementWorkgroups(size),
  }).values;
}

const kernelName = 'headwise/WidenHalves';

/** Whether `widenHalves` works here: on WebGPU with Headwise's kernels. */
export const canWidenHalves = (): boolean => hasKernel(kernelName);

/**
 * The values of 16-bit floats as float32, every bit exact. It has no gradient.
 *
 * @param words `[⌈size / 2⌉]`, int32: two floats in a word, the first in the lower bits
 * @returns `shape`, float32
 */
export const widenHalves = (
  words: tf.Tensor,
  type: HalfType,
  shape: readonly number[],
): tf.Tensor => runKernel(kernelName, { words }, { type, shape }) as unknown as tf.Tensor;

/** Makes `widenHalves` work. */
export function registerWidenHalves(): void {
  registerWebGPUKernel(kernelName, widenKernel);
}
