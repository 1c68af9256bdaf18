import * as tf from '@tensorflow/tfjs';
import { geluReference } from '../gelu/reference.js';
import { normalDistribution, sigmoid } from './wgsl-functions.js';

/** Less common activations, by Hugging Face's names. */
export type OtherActivation =
  | 'gelu_10'
  | 'hardswish'
  | 'laplace'
  | 'leaky_relu'
  | 'mish'
  | 'quick_gelu'
  | 'relu2'
  | 'relu6'
  | 'sigmoid'
  | 'sqrtsoftplus'
  | 'tanh';

// Of the Laplace activation, as in MEGA: https://arxiv.org/abs/2209.10655
// biome-ignore lint/suspicious/noApproximativeNumericConstant: the model is trained with the rounded value.
const mean = 0.707107;
const deviation = 0.282095;

/** The activations in plain operations: the specification, and the fallback where they are not fused. */
export const otherActivations: Readonly<Record<OtherActivation, (z: tf.Tensor) => tf.Tensor>> = {
  gelu_10: (z) => tf.clipByValue(geluReference(z), -10, 10),
  hardswish: (z) => z.mul(tf.relu6(z.add(3))).div(6),
  laplace: (z) =>
    z
      .sub(mean)
      .div(deviation * Math.SQRT2)
      .erf()
      .add(1)
      .mul(0.5),
  leaky_relu: (z) => tf.leakyRelu(z, 0.01),
  mish: (z) => z.mul(tf.tanh(tf.softplus(z))),
  quick_gelu: (z) => z.mul(tf.sigmoid(z.mul(1.702))),
  relu2: (z) => tf.square(tf.relu(z)),
  relu6: (z) => tf.relu6(z),
  sigmoid: (z) => tf.sigmoid(z),
  sqrtsoftplus: (z) => tf.sqrt(tf.softplus(z)),
  tanh: (z) => tf.tanh(z),
};

/** WGSL of `activation(z)` and `slope(z)`, its derivative, of each. */
export const otherActivationWgsl: Readonly<Record<OtherActivation, string>> = {
  gelu_10: /* wgsl */ `
    ${normalDistribution}
    fn activation(z: f32) -> f32 { return min(z * normal_distribution(z), 10.0); }
    fn slope(z: f32) -> f32 {
      let near = clamp(z, -13.0, 13.0);
      let inner = normal_distribution(z) + near * 0.3989422804 * exp(-0.5 * near * near);
      return select(inner, 0.0, z > 10.0);
    }
  `,
  hardswish: /* wgsl */ `
    fn activation(z: f32) -> f32 { return z * (clamp(z + 3.0, 0.0, 6.0) / 6.0); }
    fn slope(z: f32) -> f32 {
      return select(select(z / 3.0 + 0.5, 1.0, z > 3.0), 0.0, z < -3.0);
    }
  `,
  laplace: /* wgsl */ `
    ${normalDistribution}
    fn activation(z: f32) -> f32 { return normal_distribution((z - ${mean}) / ${deviation}); }
    fn slope(z: f32) -> f32 {
      let u = clamp((z - ${mean}) / ${deviation}, -13.0, 13.0);
      return 0.3989422804 * exp(-0.5 * u * u) / ${deviation};
    }
  `,
  leaky_relu: /* wgsl */ `
    fn activation(z: f32) -> f32 { return select(z, 0.01 * z, z < 0.0); }
    fn slope(z: f32) -> f32 { return select(0.01, 1.0, z > 0.0); }
  `,
  // tanh(softplus z) = n / (n + 2) with n = eᶻ (eᶻ + 2), which keeps the digits of small values.
  mish: /* wgsl */ `
    ${sigmoid}
    fn gate(z: f32) -> f32 {
      let w = exp(clamp(z, -80.0, 20.0));
      let n = w * (w + 2.0);
      return n / (n + 2.0);
    }
    fn activation(z: f32) -> f32 { return z * gate(z); }
    fn slope(z: f32) -> f32 {
      let g = gate(z);
      return g + clamp(z, -80.0, 80.0) * (1.0 - g) * (1.0 + g) * sigmoid(z);
    }
  `,
  quick_gelu: /* wgsl */ `
    ${sigmoid}
    fn activation(z: f32) -> f32 { return z * sigmoid(1.702 * z); }
    fn slope(z: f32) -> f32 {
      let gate = sigmoid(1.702 * z);
      return gate + gate * (1.0 - gate) * clamp(1.702 * z, -87.0, 87.0);
    }
  `,
  relu2: /* wgsl */ `
    fn activation(z: f32) -> f32 { let r = max(z, 0.0); return r * r; }
    fn slope(z: f32) -> f32 { return 2.0 * max(z, 0.0); }
  `,
  relu6: /* wgsl */ `
    fn activation(z: f32) -> f32 { return clamp(z, 0.0, 6.0); }
    fn slope(z: f32) -> f32 { return select(0.0, 1.0, z > 0.0 && z <= 6.0); }
  `,
  sigmoid: /* wgsl */ `
    ${sigmoid}
    fn activation(z: f32) -> f32 { return sigmoid(z); }
    fn slope(z: f32) -> f32 { let s = sigmoid(z); return s * (1.0 - s); }
  `,
  // softplus z = max(z, 0) + ln(1 + e^−|z|); far below 0 it is eᶻ.
  sqrtsoftplus: /* wgsl */ `
    ${sigmoid}
    fn activation(z: f32) -> f32 {
      let near = max(z, -80.0);
      let small = exp(min(near, 0.0));
      let whole = max(near, 0.0) + log(1.0 + exp(-abs(near)));
      return sqrt(select(whole, small * (1.0 - 0.5 * small), near < -8.0));
    }
    fn slope(z: f32) -> f32 { return 0.5 * sigmoid(max(z, -80.0)) / activation(z); }
  `,
  // Its series where z is small, as sinh and cosh lose digits there.
  tanh: /* wgsl */ `
    fn activation(z: f32) -> f32 {
      let near = clamp(z, -15.0, 15.0);
      let s = near * near;
      let series = near * (1.0 + s * (-0.3333333333 + s * (0.1333333333 - 0.0539682540 * s)));
      return select(tanh(near), series, abs(near) < 0.1);
    }
    fn slope(z: f32) -> f32 { let t = activation(z); return (1.0 - t) * (1.0 + t); }
  `,
};
