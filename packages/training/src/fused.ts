import { InputError } from '@headwise/core';
import type { OptimizerParameter, OptimizerState, Slot } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';
import type { ByPathOptions, Optimizer, SavedOptimizer, StateTensor } from './optimizer.js';
import { checkTrainable } from './trainable.js';

type Params = Readonly<Record<string, tf.Variable>>;

/** What an optimizer is made of: how it is called, over which parameters, and the kernels' state of them. */
interface FusedOptions {
  /** Names the state that is saved. */
  name: string;
  /** Names the optimizer in errors. */
  title: string;
  params: Params;
  choices: ByPathOptions;
  state(parameters: readonly OptimizerParameter[]): OptimizerState;
}

/** An optimizer whose step the kernels make over all parameters at once. */
export class Fused implements Optimizer {
  readonly name: string;
  readonly state: Readonly<Record<string, StateTensor>>;
  readonly #title: string;
  readonly #paths: readonly string[];
  readonly #state: OptimizerState;
  readonly #slots: ReadonlyMap<string, Slot>;
  #steps = 0;

  constructor({ name, title, params, choices, state }: FusedOptions) {
    checkTrainable(title, params);
    this.name = name;
    this.#title = title;
    this.#paths = Object.keys(params);
    this.#state = state(chosenParameters(title, params, choices));
    const named = (slot: Slot) => `${slot.name}.${this.#paths[slot.parameter]}`;
    this.#slots = new Map(this.#state.slots.map((slot) => [named(slot), slot]));
    this.state = Object.fromEntries(
      [...this.#slots].map(([key, slot]) => [key, { shape: slot.shape, copy: () => slot.read() }]),
    );
  }

  get steps(): number {
    return this.#steps;
  }

  update(
    gradients: Readonly<Record<string, tf.Tensor>>,
    learningRate: number,
    scale?: tf.Tensor,
  ): void {
    checkAtLeast0(`${this.#title}: the learning rate of update ${this.#steps}`, learningRate);
    const ordered = this.#paths.map((path) => {
      const gradient = gradients[path];
      if (!gradient) throw new InputError(`${this.#title}: no gradient for parameter '${path}'`);
      return gradient;
    });
    this.#state.update(ordered, { learningRate, step: this.#steps + 1 }, scale);
    this.#steps++;
  }

  restore({ steps, tensors }: SavedOptimizer): void {
    for (const key of this.#slots.keys()) {
      if (!tensors[key]) throw new InputError(`${this.#title}: the state lacks '${key}'`);
    }
    for (const [key, slot] of this.#slots) slot.write(tensors[key]!);
    this.#steps = steps;
  }

  dispose(): void {
    this.#state.dispose();
  }
}

/** Throws unless a number is finite and at least 0. */
export function checkAtLeast0(what: string, value: number): void {
  if (value >= 0 && Number.isFinite(value)) return;
  throw new InputError(`${what} is ${value}; expected a finite number of at least 0`);
}

/** Throws unless numbers are at least 0 and below 1. */
export function checkShares(title: string, shares: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(shares)) {
    if (!(value >= 0 && value < 1)) {
      throw new InputError(`${title}: ${name} is ${value}; expected at least 0 and below 1`);
    }
  }
}

/** The parameters with their rates and decays. */
function chosenParameters(
  title: string,
  params: Params,
  { weightDecay = 0, rates = () => 1 }: ByPathOptions,
): OptimizerParameter[] {
  const decays =
    typeof weightDecay === 'number'
      ? (_: string, { rank }: tf.Variable) => (rank >= 2 ? weightDecay : 0)
      : weightDecay;
  if (typeof weightDecay === 'number') checkAtLeast0(`${title}: weightDecay`, weightDecay);
  return Object.entries(params).map(([path, variable]) => {
    const [rate, decay] = [rates(path, variable), decays(path, variable)];
    checkAtLeast0(`${title}: the rate of '${path}'`, rate);
    checkAtLeast0(`${title}: the weight decay of '${path}'`, decay);
    return { variable, rate, decay };
  });
}
