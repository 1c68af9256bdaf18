import { checkShape, InputError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';

/** A parameter to optimise. */
export interface AdamWParameter {
  variable: tf.Variable;
  /** Whether weight decay shrinks it. */
  decays: boolean;
}

/** The numbers of one step. */
export interface AdamWStep {
  /** The number of this step, counted from 1. */
  step: number;
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

/** The two moments of a parameter, of its shape. */
export interface Moments {
  m: tf.Tensor;
  v: tf.Tensor;
}

/** The moments of many parameters, and the step that updates all. */
export interface AdamWState {
  /**
   * Updates moments and parameters.
   *
   * @param gradients one for each parameter, in its shape
   * @param scale multiplies every gradient, a scalar
   */
  update(gradients: readonly tf.Tensor[], step: AdamWStep, scale?: tf.Tensor): void;
  /** A copy of the moments of a parameter, by its number; the caller disposes it. */
  moments(parameter: number): Moments;
  /** Sets the moments of a parameter, whose values are copied. */
  setMoments(parameter: number, moments: Moments): void;
  /** Frees the moments. */
  dispose(): void;
}

/** Throws unless there is a gradient of its shape for each parameter. */
export function checkGradients(
  parameters: readonly AdamWParameter[],
  gradients: readonly tf.Tensor[],
): void {
  if (gradients.length !== parameters.length) {
    throw new InputError(
      `adamw: ${gradients.length} gradients; expected ${parameters.length}, one for each parameter`,
    );
  }
  parameters.forEach(({ variable }, i) => {
    checkShape(`adamw: gradient of '${variable.name}'`, gradients[i]!.shape, variable.shape);
  });
}
