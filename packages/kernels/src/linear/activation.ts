import * as tf from '@tensorflow/tfjs';
import { gelu, geluTanh } from '../gelu/index.js';
import {
  type OtherActivation,
  otherActivations,
  otherActivationWgsl,
} from './other-activations.js';
import { normalDistribution, sigmoid } from './wgsl-functions.js';

/** What a linear map may end with, by Hugging Face's names; `gelu_new` is GELU's tanh approximation. */
export type LinearActivation = 'none' | 'relu' | 'gelu' | 'gelu_new' | 'silu' | OtherActivation;

/** The activations where they are not fused. */
export const activations: Readonly<Record<LinearActivation, (z: tf.Tensor) => tf.Tensor>> = {
  none: (z) => z,
  relu: (z) => tf.relu(z),
  gelu,
  gelu_new: geluTanh,
  silu: (z) => tf.mul(z, tf.sigmoid(z)),
  ...otherActivations,
};

/** WGSL of `activation(z)` and `slope(z)`, its derivative, of each activation. */
export const activationWgsl: Readonly<Record<LinearActivation, string>> = {
  none: /* wgsl */ `
    fn activation(z: f32) -> f32 { return z; }
    fn slope(z: f32) -> f32 { return 1.0; }
  `,
  relu: /* wgsl */ `
    fn activation(z: f32) -> f32 { return select(z, 0.0, z < 0.0); }
    fn slope(z: f32) -> f32 { return select(0.0, 1.0, z > 0.0); }
  `,
  gelu: /* wgsl */ `
    ${normalDistribution}
    fn activation(z: f32) -> f32 { return z * normal_distribution(z); }
    fn slope(z: f32) -> f32 {
      let near = clamp(z, -13.0, 13.0);
      return normal_distribution(z) + near * 0.3989422804 * exp(-0.5 * near * near);
    }
  `,
  // ½ (1 + tanh v) = σ(2v); beyond |z| = 10 the gate is 0 or 1.
  gelu_new: /* wgsl */ `
    ${sigmoid}
    fn activation(z: f32) -> f32 {
      let near = clamp(z, -10.0, 10.0);
      return z * sigmoid(1.5957691216 * near * (1.0 + 0.044715 * near * near));
    }
    fn slope(z: f32) -> f32 {
      let near = clamp(z, -10.0, 10.0);
      let gate = sigmoid(1.5957691216 * near * (1.0 + 0.044715 * near * near));
      return gate + gate * (1.0 - gate) * 1.5957691216 * near * (1.0 + 0.134145 * near * near);
    }
  `,
  silu: /* wgsl */ `
    ${sigmoid}
    fn activation(z: f32) -> f32 { return z * sigmoid(z); }
    fn slope(z: f32) -> f32 {
      let gate = sigmoid(z);
      return gate + gate * (1.0 - gate) * clamp(z, -87.0, 87.0);
    }
  `,
  ...otherActivationWgsl,
};
