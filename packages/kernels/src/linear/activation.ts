import * as tf from '@tensorflow/tfjs';
import { gelu, geluTanh } from '../gelu/index.js';

/** What a linear map may end with, by Hugging Face's names; `gelu_new` is GELU's tanh approximation. */
export type LinearActivation = 'none' | 'relu' | 'gelu' | 'gelu_new' | 'silu';

/** The activations where they are not fused. */
export const activations: Readonly<Record<LinearActivation, (z: tf.Tensor) => tf.Tensor>> = {
  none: (z) => z,
  relu: (z) => tf.relu(z),
  gelu,
  gelu_new: geluTanh,
  silu: (z) => tf.mul(z, tf.sigmoid(z)),
};

/** `σ(z)`, its argument kept where `exp` is a normal number. */
const sigmoid = /* wgsl */ `
  fn sigmoid(z: f32) -> f32 { return 1.0 / (1.0 + exp(clamp(-z, -87.0, 87.0))); }
`;

/**
 * `Φ(z)`, the normal distribution, from `Φ(−a) = exp(−a²/2) P(1 / (1 + 0.3 a))`.
 *
 * P is a minimax fit on [0, 13.5] with a relative error of 1.2e-7: small values keep their digits,
 * which they lose in `½ (1 + erf(z/√2))`.
 */
const normalDistribution = /* wgsl */ `
  fn normal_distribution(z: f32) -> f32 {
    let a = min(abs(z), 13.0);
    let t = 1.0 / (1.0 + 0.3 * a);
    let p = 0.1196267 + t * (0.120794796 + t * (0.099651118 + t * (0.129454346
      + t * (-0.055421492 + t * (0.208292902 + t * (-0.158355603 + t * 0.035957169))))));
    let tail = exp(-0.5 * a * a) * t * p;
    return select(tail, 1.0 - tail, z > 0.0);
  }
`;

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
};
