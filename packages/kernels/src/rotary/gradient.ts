import { InputError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import { runKernel } from '../dispatch/register.js';
import type { RotaryAttributes } from './webgpu.js';

/** The gradient turns back: the same kernel by the opposite angles. */
export const rotaryGradient: tf.GradConfig = {
  kernelName: 'headwise/Rotary',
  inputsToSave: ['cos', 'sin'],
  gradFunc: (dy, saved, attrs) => {
    const [cos, sin] = saved as [tf.Tensor, tf.Tensor];
    const given = attrs as unknown as RotaryAttributes;
    const back: RotaryAttributes = { ...given, sign: given.sign === 1 ? -1 : 1 };
    const constant = (name: string) => () => {
      throw new InputError(`rotary: ${name} has no gradient; expected a constant table`);
    };
    return {
      x: () => runKernel('headwise/Rotary', { x: dy as tf.Tensor, cos, sin }, back)[0]!,
      cos: constant('cos'),
      sin: constant('sin'),
    };
  },
};
