import { InputError } from '@headwise/core';
import { averageRule, type OptimizerState, optimizerState } from '@headwise/kernels/internal';
import * as tf from '@tensorflow/tfjs';
import { checkShares } from './fused.js';
import type { SavedOptimizer, StateTensor } from './optimizer.js';
import { checkTrainable } from './trainable.js';

export interface EmaOptions {
  /** The part of the average that each update keeps; default 0.999. */
  decay?: number | undefined;
  /** Keeps less at first, `min(decay, (1 + n) / (10 + n))` after n updates, as diffusers does; default false. */
  warmup?: boolean | undefined;
}

/**
 * The exponential moving average of a model's weights, as PyTorch's `AveragedModel` with `get_ema_multi_avg_fn` computes it.
 *
 * `a ← d a + (1 − d) p` after each step, in one dispatch for all parameters on WebGPU; the first update copies the weights. It takes the memory of
 * the parameters once more; `dispose` frees it.
 *
 * @see Polyak and Juditsky 1992, https://doi.org/10.1137/0330046
 * @example
 * const ema = new Ema(params, { decay: 0.999 });
 * for await (const _ of train({ objective, params, optimizer, schedule, batches, steps, ema }));
 * const { loss } = await ema.during(() => evaluate(objective, validation));
 */
export class Ema {
  readonly decay: number;
  readonly warmup: boolean;
  /** The averages, by the paths of the parameters; within `during` too. */
  readonly state: Readonly<Record<string, StateTensor>>;
  /** The parameters' own values, by their paths; within `during` too. */
  readonly own: Readonly<Record<string, StateTensor>>;
  readonly #params: readonly tf.Variable[];
  readonly #averages: readonly tf.Variable[];
  readonly #rule: OptimizerState;
  #steps = 0;
  #swapped = false;

  /**
   * @param params by path, as `ParamStore.named` gives them
   * @throws InputError where the decay is outside its range, a part of the model is packed, or a parameter is frozen or freed
   */
  constructor(params: Readonly<Record<string, tf.Variable>>, options: EmaOptions = {}) {
    const { decay = 0.999, warmup = false } = options;
    checkShares('Ema', { decay });
    checkTrainable('Ema', params);
    this.decay = decay;
    this.warmup = warmup;
    this.#params = Object.values(params);
    this.#averages = this.#params.map((variable) =>
      tf.tidy(() => tf.variable(variable.clone(), false)),
    );
    this.#rule = optimizerState(
      averageRule,
      this.#averages.map((variable) => ({ variable, rate: 1, decay: 0 })),
    );
    const paths = Object.keys(params);
    const tensors = (held: (i: number) => tf.Variable) =>
      Object.fromEntries(
        paths.map((path, i) => [path, { shape: held(i).shape, copy: () => held(i).clone() }]),
      );
    const [values, averages] = [this.#params, this.#averages];
    this.state = tensors((i) => (this.#swapped ? values : averages)[i]!);
    this.own = tensors((i) => (this.#swapped ? averages : values)[i]!);
  }

  /** The number of updates made so far. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Takes the parameters into the average; `train` does so after each step.
   *
   * @throws InputError within `during`
   */
  update(): void {
    this.#checkApart('update');
    const step = this.#steps + 1;
    this.#rule.update(this.#params, { step, learningRate: 1 - this.#decayAfter(this.#steps) });
    this.#steps = step;
  }

  /**
   * Calls a function while the parameters hold the averages; then they hold their own values again, whatever it did.
   *
   * @throws InputError within another `during`
   */
  async during<T>(run: () => T | Promise<T>): Promise<T> {
    this.#checkApart('during');
    this.#swap();
    this.#swapped = true;
    try {
      return await run();
    } finally {
      this.#swap();
      this.#swapped = false;
    }
  }

  /**
   * Goes on from saved averages, which are copied.
   *
   * @param saved tensors by path
   * @throws InputError where one is missing; nothing is changed then
   */
  restore({ steps, tensors }: SavedOptimizer): void {
    this.#checkApart('restore');
    const paths = Object.keys(this.state);
    for (const path of paths) {
      if (!tensors[path]) throw new InputError(`Ema: the state lacks '${path}'`);
    }
    tf.tidy(() => {
      for (const [i, path] of paths.entries()) this.#averages[i]!.assign(tensors[path]!.clone());
    });
    this.#steps = steps;
  }

  /** Frees the averages, not the parameters. */
  dispose(): void {
    this.#rule.dispose();
    tf.dispose([...this.#averages]);
  }

  /** Throws while the parameters hold the averages. */
  #checkApart(what: string): void {
    if (!this.#swapped) return;
    throw new InputError(`Ema: ${what} while the parameters hold the averages; expected after it`);
  }

  /** Of the update after n others. */
  #decayAfter(n: number): number {
    if (n === 0) return 0;
    return this.warmup ? Math.min(this.decay, (1 + n) / (10 + n)) : this.decay;
  }

  /** Exchanges parameters and averages, which copies nothing. */
  #swap(): void {
    for (const [i, variable] of this.#params.entries()) {
      const average = this.#averages[i]!;
      tf.tidy(() => {
        const own = variable.clone();
        variable.assign(average.clone());
        average.assign(own);
      });
    }
  }
}
