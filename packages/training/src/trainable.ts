import { InputError } from '@headwise/core';
import { packedBeside } from '@headwise/core/internal';
import type * as tf from '@tensorflow/tfjs';

/**
 * Throws unless all that is to be trained can be.
 *
 * @param what names the caller in the message
 * @param params by path, as `ParamStore.named` gives them
 * @throws InputError where matrices of the same model are packed, so that a part of it would be trained; for a parameter
 * that is frozen, or that has been freed
 */
export function checkTrainable(what: string, params: Readonly<Record<string, tf.Variable>>): void {
  const packed = packedBeside(params);
  if (packed.length > 0) {
    const count = packed.length + Object.keys(params).length;
    throw new InputError(
      `${what}: ${packed.length} of the model's ${count} parameters are packed, such as '${packed[0]}', and have no gradient; expected a model in float32, an adapter beside it (new Lora(model.params, …)), or a record of the parameters to train, chosen by path`,
    );
  }
  for (const [path, variable] of Object.entries(params)) {
    if (variable.isDisposed) {
      throw new InputError(
        `${what}: parameter '${path}' has been freed, or packed since; expected a parameter in float32`,
      );
    }
    if (!variable.trainable) {
      throw new InputError(
        `${what}: parameter '${path}' is frozen, as its 'trainable' is false; expected a record without it`,
      );
    }
  }
}
