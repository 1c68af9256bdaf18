import { InputError } from '@headwise/core';
import { hasKernel, registerWebGPUKernel } from '../dispatch/register.js';
import { FlatAdamW } from './flat.js';
import { PlainAdamW } from './reference.js';
import type { AdamWParameter, AdamWState } from './state.js';
import { adamwKernel } from './webgpu.js';

/**
 * Moments, all 0, for AdamW over some parameters; on WebGPU the step is one dispatch for each 16.8
 * million values, whatever the number of tensors.
 *
 * `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`,
 * `p ← (1 − η λ) p − η m̂ / (√v̂ + ε)`, where `m̂ = m / (1 − β₁ᵗ)` and `v̂ = v / (1 − β₂ᵗ)`.
 *
 * @throws InputError unless every parameter is float32 and has a value
 * @see Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101
 */
export function adamwState(parameters: readonly AdamWParameter[]): AdamWState {
  for (const { variable } of parameters) {
    if (variable.dtype !== 'float32' || variable.size === 0) {
      throw new InputError(
        `adamwState: parameter '${variable.name}' is ${variable.dtype} of shape [${variable.shape.join(', ')}]; expected float32 with at least one value`,
      );
    }
  }
  const Made = hasKernel('headwise/AdamW') && parameters.length > 0 ? FlatAdamW : PlainAdamW;
  return new Made(parameters);
}

/** Makes AdamW use its WebGPU kernel, in states made from now on. */
export function registerAdamW(): void {
  registerWebGPUKernel('headwise/AdamW', adamwKernel);
}
