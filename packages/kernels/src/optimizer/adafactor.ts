import * as tf from '@tensorflow/tfjs';
import { slotOf } from './plain.js';
import type { Step } from './rule.js';
import {
  checkGradients,
  checkParameters,
  type OptimizerParameter,
  type OptimizerState,
  type Slot,
} from './state.js';

export interface AdafactorNumbers {
  /** Added to squared gradients. */
  epsilon: number;
  /** The least that a parameter's root mean square is taken for. */
  leastScale: number;
  /** The most that an update's root mean square may be. */
  clipThreshold: number;
  /** γ of the averages' `1 − tᵞ`, negative. */
  decayRate: number;
  /** Of an average of updates; undefined: none is kept. */
  beta1: number | undefined;
  /** Whether steps are relative to the parameter's root mean square. */
  scaleParameter: boolean;
}

/** What is kept of one parameter: means of squared gradients over each of the last two axes, or of every value. */
type Kept = Partial<Record<'row' | 'column' | 'square' | 'average', tf.Variable>>;

/**
 * The state of Adafactor, in plain operations: some twenty small ones a parameter.
 *
 * @see Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235
 */
export class AdafactorState implements OptimizerState {
  readonly slots: readonly Slot[];
  readonly #numbers: AdafactorNumbers;
  readonly #parameters: readonly OptimizerParameter[];
  readonly #kept: Kept[];

  /** @throws InputError unless every parameter is float32 and has a value */
  constructor(numbers: AdafactorNumbers, parameters: readonly OptimizerParameter[]) {
    checkParameters('Adafactor', parameters);
    this.#numbers = numbers;
    this.#parameters = parameters;
    this.#kept = parameters.map(({ variable: { shape } }) => ({
      ...(shape.length >= 2
        ? {
            row: zeros(shape.slice(0, -1)),
            column: zeros([...shape.slice(0, -2), shape.at(-1)!]),
          }
        : { square: zeros(shape) }),
      ...(numbers.beta1 === undefined ? {} : { average: zeros(shape) }),
    }));
    this.slots = this.#kept.flatMap((kept, parameter) =>
      Object.entries(kept).map(([name, variable]) => slotOf(parameter, name, variable)),
    );
  }

  update(gradients: readonly tf.Tensor[], step: Step, scale?: tf.Tensor): void {
    checkGradients('Adafactor', this.#parameters, gradients);
    for (const [i, parameter] of this.#parameters.entries()) {
      tf.tidy(() => {
        const gradient = scale ? gradients[i]!.mul(scale) : gradients[i]!;
        this.#updateOne(parameter, this.#kept[i]!, gradient, step);
      });
    }
  }

  #updateOne(
    { variable, rate, decay }: OptimizerParameter,
    kept: Kept,
    gradient: tf.Tensor,
    { step, learningRate }: Step,
  ): void {
    const { clipThreshold, beta1, scaleParameter, leastScale } = this.#numbers;
    const raw = this.#normalised(kept, gradient, step);
    const clipped = raw.div(rootMeanSquare(raw).div(clipThreshold).maximum(1));
    const own = learningRate * rate;
    const size = scaleParameter
      ? rootMeanSquare(variable).maximum(leastScale).mul(own)
      : tf.scalar(own);
    let change = clipped.mul(size);
    if (kept.average && beta1 !== undefined) {
      kept.average.assign(kept.average.mul(beta1).add(change.mul(1 - beta1)));
      change = kept.average;
    }
    const value = decay > 0 ? variable.sub(variable.mul(size.mul(decay))) : variable;
    variable.assign(value.sub(change));
  }

  /** The gradient over the root of its mean square, from the means over rows and columns of a matrix. */
  #normalised({ row, column, square }: Kept, gradient: tf.Tensor, step: number): tf.Tensor {
    const { epsilon, decayRate } = this.#numbers;
    const beta = 1 - step ** decayRate;
    const squares = gradient.square().add(epsilon);
    const average = (kept: tf.Variable, now: tf.Tensor) =>
      kept.assign(kept.mul(beta).add(now.mul(1 - beta)));
    if (square) {
      average(square, squares);
      return square.rsqrt().mul(gradient);
    }
    average(row!, squares.mean(-1));
    average(column!, squares.mean(-2));
    const rows = row!.div(row!.mean(-1, true)).rsqrt().expandDims(-1);
    return rows.mul(column!.rsqrt().expandDims(-2)).mul(gradient);
  }

  dispose(): void {
    for (const kept of this.#kept) tf.dispose({ ...kept });
    this.#kept.length = 0;
  }
}

const zeros = (shape: number[]): tf.Variable => tf.tidy(() => tf.variable(tf.zeros(shape), false));

const rootMeanSquare = (x: tf.Tensor): tf.Tensor => x.square().mean().sqrt();
