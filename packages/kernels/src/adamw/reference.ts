import * as tf from '@tensorflow/tfjs';
import {
  type AdamWParameter,
  type AdamWState,
  type AdamWStep,
  checkGradients,
  type Moments,
} from './state.js';

interface Slot extends AdamWParameter {
  m: tf.Variable;
  v: tf.Variable;
}

/** AdamW in plain operations, tensor by tensor: the specification, and the path of other backends. */
export class PlainAdamW implements AdamWState {
  readonly #slots: Slot[];

  constructor(parameters: readonly AdamWParameter[]) {
    const moment = ({ variable }: AdamWParameter) =>
      tf.tidy(() => tf.variable(tf.zerosLike(variable), false));
    this.#slots = parameters.map((parameter) => ({
      ...parameter,
      m: moment(parameter),
      v: moment(parameter),
    }));
  }

  update(gradients: readonly tf.Tensor[], settings: AdamWStep, scale?: tf.Tensor): void {
    checkGradients(this.#slots, gradients);
    const { step, learningRate, beta1, beta2, epsilon, weightDecay } = settings;
    const [correction1, correction2] = [1 - beta1 ** step, 1 - beta2 ** step];
    for (const [i, { variable, decays, m, v }] of this.#slots.entries()) {
      tf.tidy(() => {
        const g = scale ? gradients[i]!.mul(scale) : gradients[i]!;
        m.assign(m.mul(beta1).add(g.mul(1 - beta1)));
        v.assign(v.mul(beta2).add(g.square().mul(1 - beta2)));
        const root = v.sqrt().mul(1 / Math.sqrt(correction2));
        const change = m.div(root.add(epsilon)).mul(learningRate / correction1);
        const kept = decays ? variable.mul(1 - learningRate * weightDecay) : variable;
        variable.assign(kept.sub(change));
      });
    }
  }

  moments(parameter: number): Moments {
    const { m, v } = this.#slots[parameter]!;
    return { m: m.clone(), v: v.clone() };
  }

  setMoments(parameter: number, { m, v }: Moments): void {
    const slot = this.#slots[parameter]!;
    tf.tidy(() => {
      slot.m.assign(m.clone());
      slot.v.assign(v.clone());
    });
  }

  dispose(): void {
    for (const { m, v } of this.#slots) tf.dispose([m, v]);
    this.#slots.length = 0;
  }
}
