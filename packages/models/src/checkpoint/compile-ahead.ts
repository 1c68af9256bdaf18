import { isLanguageModel } from '@headwise/core';
import { rehearse } from '@headwise/decoding';
import { compilePipelines } from '@headwise/kernels';
import { sendToDevice } from '@headwise/kernels/internal';
import type { FamilyConfiguration } from '../families.js';
import { plannedModelOf } from '../planned.js';
import type { WeightOptions } from '../weight-options.js';

/** Tokens of the prompt: products of more than eight rows, and attention of any number of tokens, have one form each. */
const promptLength = 32;

/**
 * Compiles what the first tokens of a decoder need, while its weights are read: a model of the same shapes runs on a device that
 * computes nothing. On other backends than WebGPU, and for other models than decoders, it does nothing.
 *
 * Never rejects: what cannot be compiled is compiled by its first use, which then reports the error.
 */
export async function compileFirstTokens(
  read: FamilyConfiguration,
  options: WeightOptions,
): Promise<void> {
  try {
    await compilePipelines(() => {
      const { network, params } = plannedModelOf(read, options);
      try {
        // Where weights lie that are loaded.
        sendToDevice(Object.values(params.named()));
        if (isLanguageModel(network)) rehearse(network, promptLength);
      } finally {
        params.dispose();
      }
    });
  } catch {}
}
