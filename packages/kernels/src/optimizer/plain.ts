import * as tf from '@tensorflow/tfjs';
import type { Rule, Step } from './rule.js';
import {
  checkGradients,
  type OptimizerParameter,
  type OptimizerState,
  type Slot,
} from './state.js';

/** The state of a rule in plain operations, tensor by tensor: the path of other backends. */
export class PlainState implements OptimizerState {
  readonly slots: readonly Slot[];
  readonly #rule: Rule;
  readonly #parameters: readonly OptimizerParameter[];
  readonly #kept: Record<string, tf.Variable>[];

  constructor(rule: Rule, parameters: readonly OptimizerParameter[]) {
    this.#rule = rule;
    this.#parameters = parameters;
    this.#kept = parameters.map(({ variable }) =>
      Object.fromEntries(rule.slots.map((name) => [name, zerosLike(variable)])),
    );
    this.slots = this.#kept.flatMap((kept, parameter) =>
      Object.entries(kept).map(([name, variable]) => slotOf(parameter, name, variable)),
    );
  }

  update(gradients: readonly tf.Tensor[], step: Step, scale?: tf.Tensor): void {
    checkGradients(this.#rule.name, this.#parameters, gradients);
    for (const [i, { variable, rate, decay }] of this.#parameters.entries()) {
      tf.tidy(() => {
        const gradient = scale ? gradients[i]!.mul(scale) : gradients[i]!;
        const slots = this.#kept[i]!;
        const made = this.#rule.reference({ value: variable, gradient, slots, rate, decay }, step);
        for (const name of this.#rule.slots) slots[name]!.assign(made[name]!);
        variable.assign(made.value);
      });
    }
  }

  dispose(): void {
    tf.dispose(this.#kept);
    this.#kept.length = 0;
  }
}

const zerosLike = (variable: tf.Variable): tf.Variable =>
  tf.tidy(() => tf.variable(tf.zerosLike(variable), false));

/** A variable that is kept for a parameter, as a slot. */
export const slotOf = (parameter: number, name: string, variable: tf.Variable): Slot => ({
  parameter,
  name,
  shape: variable.shape,
  read: () => variable.clone(),
  write: (values) => tf.tidy(() => variable.assign(values.clone())),
});
