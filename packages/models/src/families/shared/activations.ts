import type { Activation } from '@headwise/layers';
import { z } from 'zod';

/** An activation by one of Hugging Face's names. */
export type ActivationName =
  | 'gelu'
  | 'gelu_python'
  | 'gelu_new'
  | 'gelu_accurate'
  | 'gelu_fast'
  | 'gelu_python_tanh'
  | 'gelu_pytorch_tanh'
  | 'gelu_10'
  | 'hardswish'
  | 'laplace'
  | 'leaky_relu'
  | 'linear'
  | 'mish'
  | 'quick_gelu'
  | 'relu'
  | 'relu2'
  | 'relu6'
  | 'sigmoid'
  | 'silu'
  | 'sqrtsoftplus'
  | 'swish'
  | 'tanh';

/**
 * Hugging Face's names of activations, each with the function that computes it; `prelu` and `xielu` have
 * parameters, which no family here has.
 */
const functions: Readonly<Record<ActivationName, Activation>> = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu_new',
  gelu_accurate: 'gelu_new',
  gelu_fast: 'gelu_new',
  gelu_python_tanh: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  gelu_10: 'gelu_10',
  hardswish: 'hardswish',
  laplace: 'laplace',
  leaky_relu: 'leaky_relu',
  linear: 'none',
  mish: 'mish',
  quick_gelu: 'quick_gelu',
  relu: 'relu',
  relu2: 'relu2',
  relu6: 'relu6',
  sigmoid: 'sigmoid',
  silu: 'silu',
  sqrtsoftplus: 'sqrtsoftplus',
  swish: 'silu',
  tanh: 'tanh',
};

/** Every name of an activation that is built. */
export const activationNames = Object.keys(functions) as ActivationName[];

/** An activation in a `config.json`. */
export const activation = (otherwise: ActivationName): z.ZodType<ActivationName> =>
  z.enum(activationNames).default(otherwise) as never;

/** The function of a name. */
export const activationOf = (name: ActivationName): Activation => functions[name];
