import { InputError, type ParamStore } from '@headwise/core';
import * as tf from '@tensorflow/tfjs';
import { byOutput, outputNorms, updateOf } from './dora.js';
import type { LoraUpdate } from './lora-update.js';

/** What an adapter changes of a model. */
interface MergeParts {
  /** By the path of the linear map. */
  updates: ReadonlyMap<string, LoraUpdate>;
  /** By the path of the model's parameter. */
  copies: ReadonlyMap<string, tf.Variable>;
}

/**
 * Adds the updates to a model's weights and exchanges its parameters with the copies, or, with a sign of −1, undoes it.
 *
 * @param base the model's parameters
 * @throws InputError where a weight or the parameter of a copy is packed, or a bias has none to be added to; nothing is changed then
 */
export function addToWeights(
  base: ParamStore,
  { updates, copies }: MergeParts,
  sign: 1 | -1,
): void {
  const matrices = base.matrices();
  const own = base.named();
  const changes = [...updates].map(([path, update]) => {
    const matrix = matrices[`${path}.weight`]!;
    const { variable } = matrix;
    if (!variable) {
      throw new InputError(`LoRA: the weight of '${path}' is packed, so nothing can be merged in`);
    }
    const bias = own[`${path}.bias`];
    if (update.bias && !bias) {
      throw new InputError(
        `LoRA: '${path}' has no bias, so the bias of its update cannot be merged in`,
      );
    }
    return { path, variable, bias, matrix, update };
  });
  const pairs = [...copies].map(([path, copy]) => {
    const variable = own[path];
    if (!variable) {
      throw new InputError(`LoRA: parameter '${path}' is packed, so its copy cannot be merged`);
    }
    return [variable, copy] as const;
  });
  // The parameter that a copy replaces has no update at this point.
  if (sign === 1) for (const pair of pairs) swap(...pair);
  for (const { path, variable, bias, matrix, update } of changes) {
    tf.tidy(() => {
      const change = updateOf(update, matrix).mul(sign);
      const { magnitude } = update;
      if (magnitude && sign === 1) {
        const factor = magnitude.div<tf.Tensor1D>(outputNorms(path, matrix, update));
        variable.assign(variable.add(change).mul(byOutput(factor, matrix)));
        magnitude.assign(factor);
      } else if (magnitude) {
        const whole = variable.div<tf.Tensor2D>(byOutput(magnitude, matrix));
        const norms = tf.norm(whole, 'euclidean', matrix.layout === 'in-out' ? 0 : 1);
        magnitude.assign(magnitude.mul(norms));
        variable.assign(whole.add(change));
      } else variable.assign(variable.add(change));
      if (update.bias) bias!.assign(bias!.add(update.bias.mul(sign * update.scale)));
    });
  }
  if (sign === -1) for (const pair of pairs) swap(...pair);
}

/** Exchanges the values of two variables. */
function swap(a: tf.Variable, b: tf.Variable): void {
  tf.tidy(() => {
    const [ofA, ofB] = [a.add(0), b.add(0)];
    a.assign(ofB);
    b.assign(ofA);
  });
}
