import { InputError } from '@headwise/core';
import type { OptimizerParameter, OptimizerState, Slot } from '@headwise/kernels/internal';
import type * as tf from '@tensorflow/tfjs';
import type { ByPathOptions, Optimizer, SavedOptimizer, StateTensor } from './optimizer.js';
import { checkTrainable } from './trainable.js';

type Params = Readonly<Record<string, tf.Variable>>;

/** What an optimizer makes of its options: the rates and decays of parameters, and the kernels' state of them. */
interface OptimizerParts {
  choices: ByPathOptions;
  state(parameters: readonly OptimizerParameter[]): OptimizerState;
}

/** A class of optimizers. */
export interface OptimizerClass<Options> {
  /**
   * @param params by path, as `ParamStore.named` gives them
   * @throws InputError where a part of the model is packed, a parameter is frozen or freed, or an option is outside its range or
   * without effect
   */
  new (params: Readonly<Record<string, tf.Variable>>, options?: Options): Optimizer;
}

/**
 * A class of optimizers whose step the kernels make over all parameters at once; every option has a default.
 *
 * @param name names the state that is saved
 * @param title names the optimizer in errors
 * @param partsOf throws InputError for options that cannot be
 */
export function optimizerClass<Options extends object>(
  name: string,
  title: string,
  partsOf: (options: Options, params: Params) => OptimizerParts,
): OptimizerClass<Options> {
  return class implements Optimizer {
    readonly name = name;
    readonly state: Readonly<Record<string, StateTensor>>;
    readonly #paths: readonly string[];
    readonly #state: OptimizerState;
    readonly #slots: ReadonlyMap<string, Slot>;
    #steps = 0;

    constructor(params: Params, options = {} as Options) {
      const { choices, state } = partsOf(options, params);
      checkTrainable(title, params);
      this.#paths = Object.keys(params);
      this.#state = state(chosenParameters(title, params, choices));
      const named = (slot: Slot) => `${slot.name}.${this.#paths[slot.parameter]}`;
      this.#slots = new Map(this.#state.slots.map((slot) => [named(slot), slot]));
      this.state = Object.fromEntries(
        [...this.#slots].map(([key, slot]) => [
          key,
          { shape: slot.shape, copy: () => slot.read() },
        ]),
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
      checkAtLeast0(`${title}: the learning rate of update ${this.#steps}`, learningRate);
      const ordered = this.#paths.map((path) => {
        const gradient = gradients[path];
        if (!gradient) throw new InputError(`${title}: no gradient for parameter '${path}'`);
        return gradient;
      });
      this.#state.update(ordered, { learningRate, step: this.#steps + 1 }, scale);
      this.#steps++;
    }

    restore({ steps, tensors }: SavedOptimizer): void {
      for (const key of this.#slots.keys()) {
        if (!tensors[key]) throw new InputError(`${title}: the state lacks '${key}'`);
      }
      for (const [key, slot] of this.#slots) slot.write(tensors[key]!);
      this.#steps = steps;
    }

    dispose(): void {
      this.#state.dispose();
    }
  };
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
