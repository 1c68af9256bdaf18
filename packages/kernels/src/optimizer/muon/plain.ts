import * as tf from '@tensorflow/tfjs';
import { slotOf } from '../plain.js';
import type { Step } from '../rule.js';
import { checkGradients, type OptimizerState, type Slot } from '../state.js';
import { averageRule } from './average.js';
import { adjustment, type MuonNumbers, type MuonParameter } from './blocks.js';
import { orthogonalised } from './orthogonal.js';

/** Muon in plain operations, matrix by matrix: the specification, and the path of other backends. */
export class PlainMuon implements OptimizerState {
  readonly slots: readonly Slot[];
  readonly #numbers: MuonNumbers;
  readonly #parameters: readonly MuonParameter[];
  readonly #momenta: tf.Variable[];

  constructor(numbers: MuonNumbers, parameters: readonly MuonParameter[]) {
    this.#numbers = numbers;
    this.#parameters = parameters;
    this.#momenta = parameters.map(({ variable }) =>
      tf.tidy(() => tf.variable(tf.zerosLike(variable), false)),
    );
    this.slots = this.#momenta.map((momentum, i) => slotOf(i, 'momentum', momentum));
  }

  update(gradients: readonly tf.Tensor[], step: Step, scale?: tf.Tensor): void {
    checkGradients('Muon', this.#parameters, gradients);
    const { learningRate } = step;
    for (const [i, parameter] of this.#parameters.entries()) {
      const { variable, rate, decay } = parameter;
      const kept = this.#momenta[i]!;
      tf.tidy(() => {
        const gradient = scale ? gradients[i]!.mul(scale) : gradients[i]!;
        const given = { value: gradient, gradient, slots: { momentum: kept }, rate, decay };
        const { value: average, momentum } = averageRule(this.#numbers).reference(given, step);
        kept.assign(momentum);
        const change = this.#change(average as tf.Tensor2D, parameter).mul(rate * learningRate);
        variable.assign(variable.mul(1 - learningRate * rate * decay).sub(change));
      });
    }
  }

  dispose(): void {
    tf.dispose(this.#momenta);
    this.#momenta.length = 0;
  }

  /** The orthogonalised maps of a parameter, each by the factor of its shape. */
  #change(average: tf.Tensor2D, { layout, parts }: MuonParameter): tf.Tensor {
    const outputs = layout === 'out-in' ? 0 : 1;
    const inputs = average.shape[1 - outputs]!;
    const widths = [...(parts ?? [average.shape[outputs]!])];
    const maps = tf
      .split<tf.Tensor2D>(average, widths, outputs)
      .map((map, i) =>
        orthogonalised(map, this.#numbers).mul(
          adjustment(this.#numbers.adjust, widths[i]!, inputs),
        ),
      );
    return tf.concat(maps, outputs);
  }
}
