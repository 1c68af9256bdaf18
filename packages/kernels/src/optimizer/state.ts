import { checkShape, InputError } from '@headwise/core';
import type * as tf from '@tensorflow/tfjs';
import type { Step } from './rule.js';

/** A parameter to optimise. */
export interface OptimizerParameter {
  variable: tf.Variable;
  /** Its own factor of the learning rate. */
  rate: number;
  /** Its weight decay. */
  decay: number;
}

/** A tensor that an optimizer keeps for a parameter. */
export interface Slot {
  /** The number of the parameter. */
  readonly parameter: number;
  readonly name: string;
  readonly shape: number[];
  /** A copy of its values; the caller disposes it. */
  read(): tf.Tensor;
  /** Sets its values, which are copied. */
  write(values: tf.Tensor): void;
}

/** What an optimizer keeps for many parameters, and the step that updates all of them. */
export interface OptimizerState {
  /** In the order of the parameters. */
  readonly slots: readonly Slot[];
  /**
   * Updates the parameters and what is kept of them.
   *
   * @param gradients one for each parameter, in its shape
   * @param scale multiplies every gradient, a scalar
   * @throws InputError or ShapeError before anything is changed, where the gradients do not fit
   */
  update(gradients: readonly tf.Tensor[], step: Step, scale?: tf.Tensor): void;
  /** Frees what it keeps, not the parameters. */
  dispose(): void;
}

/** Throws unless all parameters are float32 and have a value. */
export function checkParameters(what: string, parameters: readonly OptimizerParameter[]): void {
  for (const { variable } of parameters) {
    if (variable.dtype !== 'float32' || variable.size === 0) {
      throw new InputError(
        `${what}: parameter '${variable.name}' is ${variable.dtype} of shape [${variable.shape.join(', ')}]; expected float32 with at least one value`,
      );
    }
  }
}

/** Throws unless there is a gradient of its shape for each parameter. */
export function checkGradients(
  what: string,
  parameters: readonly OptimizerParameter[],
  gradients: readonly tf.Tensor[],
): void {
  if (gradients.length !== parameters.length) {
    throw new InputError(
      `${what}: ${gradients.length} gradients; expected ${parameters.length}, one for each parameter`,
    );
  }
  parameters.forEach(({ variable }, i) => {
    checkShape(`${what}: gradient of '${variable.name}'`, gradients[i]!.shape, variable.shape);
  });
}
