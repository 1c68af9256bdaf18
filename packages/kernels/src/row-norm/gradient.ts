import { isWanted } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';
import { registerGradient, registerWebGPUKernel, runGradients } from '../dispatch/register.js';
import type { NormForm, NormKernels } from './kernels.js';

type Form = Pick<NormForm, 'label' | 'parameters'>;

/** Registers the kernels of a norm with WebGPU, and their gradients. */
export function registerNorm(form: Form, kernels: NormKernels): void {
  const { label } = form;
  registerWebGPUKernel(`headwise/${label}`, kernels.norm);
  registerWebGPUKernel(`headwise/Add${label}`, kernels.addNorm);
  registerWebGPUKernel(`headwise/Beside${label}`, kernels.besideNorm);
  registerWebGPUKernel(`headwise/${label}Gradient`, kernels.gradient);
  for (const gradient of normGradients(form)) registerGradient(gradient);
}

/** The gradients of a norm's kernels, the same on every backend that has the kernels. */
export const normGradients = (form: Form): tf.GradConfig[] => [
  normGradient(form),
  addNormGradient(form),
  besideNormGradient(form),
];

/** Saves x, weight and the rows' statistics; the normalised rows are recomputed. */
const normGradient = (form: Form): tf.GradConfig => ({
  kernelName: `headwise/${form.label}`,
  inputsToSave: ['x', 'weight'],
  outputsToSave: [false, true],
  gradFunc: (dys, saved) => {
    const [dy] = dys as unknown as [tf.Tensor];
    const [x, weight, stats] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    const inputs = { dy, x, weight, stats };
    return runGradients(`headwise/${form.label}Gradient`, inputs, ['x', ...form.parameters]);
  },
});

/** Saves the sum, weight and the rows' statistics; x and added have the same gradient. */
const addNormGradient = (form: Form): tf.GradConfig => ({
  kernelName: `headwise/Add${form.label}`,
  inputsToSave: ['weight'],
  outputsToSave: [false, true, true],
  gradFunc: (dys, saved) => {
    const [dy, dSum] = dys as unknown as [tf.Tensor, tf.Tensor];
    const [weight, x, stats] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    const inputs = { dy, x, weight, stats, dSum };
    const kernel = `headwise/${form.label}Gradient`;
    const isAsked = (name: string) => isWanted(name) || (name === 'x' && isWanted('added'));
    const of = runGradients(kernel, inputs, ['x', ...form.parameters], {}, isAsked);
    // A clone each: TensorFlow.js disposes a gradient when it adds another to it.
    return { ...of, x: () => of.x().clone(), added: () => of.x().clone() };
  },
});

/** Saves x, weight and the rows' statistics; what reaches x past the norm is added to its gradient. */
const besideNormGradient = (form: Form): tf.GradConfig => ({
  kernelName: `headwise/Beside${form.label}`,
  inputsToSave: ['x', 'weight'],
  outputsToSave: [false, false, true],
  gradFunc: (dys, saved) => {
    const [dy, dSum] = dys as unknown as [tf.Tensor, tf.Tensor];
    const [x, weight, stats] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
    const inputs = { dy, x, weight, stats, dSum };
    return runGradients(`headwise/${form.label}Gradient`, inputs, ['x', ...form.parameters]);
  },
});
