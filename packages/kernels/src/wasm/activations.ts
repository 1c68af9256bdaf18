import type { LinearActivation } from '../linear/activation.js';

/** The numbers of activations in `assembly/activation.ts`. */
export const activationNumbers: Readonly<Record<LinearActivation, number>> = {
  none: 0,
  relu: 1,
  gelu: 2,
  gelu_new: 3,
  silu: 4,
  gelu_10: 5,
  hardswish: 6,
  laplace: 7,
  leaky_relu: 8,
  mish: 9,
  quick_gelu: 10,
  relu2: 11,
  relu6: 12,
  sigmoid: 13,
  sqrtsoftplus: 14,
  tanh: 15,
};
