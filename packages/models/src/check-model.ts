import { checkParams, checkPart } from '@headwise/core';

const aModel = 'a model of createModel or loadModel';

/**
 * Throws unless a value is a model with its family, which defines how it is saved.
 *
 * @param what names the caller in the message
 * @throws InputError with what was given and what was expected
 */
export function checkModel(what: string, model: unknown): void {
  checkPart(`${what}: the model`, model, [], aModel);
  const { family, params, network } = model as Record<string, unknown>;
  checkParams(`${what}: the model`, params);
  checkPart(`${what}: the model's network`, network, [], `that of ${aModel}`);
  checkPart(
    `${what}: the model's family`,
    family,
    ['keys', 'configJson'],
    `that of ${aModel}; the parameters of a network that is built by hand are saved with saveParams(folder, params)`,
  );
}
