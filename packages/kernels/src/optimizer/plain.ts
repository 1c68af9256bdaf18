import * as tf from '@tensorflow/tfjs';
import { hasKernel, runKernel } from '../dispatch/register.js';
import type { Rule, RuleArguments, Step } from './rule.js';
import {
  checkGradients,
  type OptimizerParameter,
  type OptimizerState,
  type Slot,
} from './state.js';

/** The state of a rule, tensor by tensor: the path of other backends than WebGPU. */
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
        const slots = this.#kept[i]!;
        const given = { value: variable, gradient: gradients[i]!, slots, rate, decay };
        const made = updated(this.#rule, given, step, scale);
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

/** The new values of a parameter and its slots, in one kernel where the backend has one for the rule. */
function updated(
  rule: Rule,
  given: RuleArguments<string>,
  step: Step,
  scale: tf.Tensor | undefined,
): Record<string, tf.Tensor> & { value: tf.Tensor } {
  const { gradient, value, slots, rate, decay } = given;
  const kernel = `headwise/Update${rule.name}`;
  if (!hasKernel(kernel)) {
    return rule.reference({ ...given, gradient: scale ? gradient.mul(scale) : gradient }, step);
  }
  const inputs = { value, gradient, ...(scale ? { scale } : {}), ...slots };
  const [made, ...kept] = runKernel(kernel, inputs, { numbers: rule.numbers(step), rate, decay });
  return { value: made!, ...Object.fromEntries(rule.slots.map((name, n) => [name, kept[n]!])) };
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
