import { InputError, type LanguageModel, type ParamStore } from '@headwise/core';
import { KeyValueCache, rehearse } from '@headwise/decoding';
import { PackedWeight } from '@headwise/kernels';
import { planned } from '@headwise/kernels/internal';
import type { WeightDtype } from '@headwise/models';
import { modelParts, plannedModel } from '@headwise/models/internal';
import type * as tf from '@tensorflow/tfjs';

/** The limits that desktop browsers give on most GPUs today. */
export const desktopLimits = {
  maxBufferSize: 2 ** 31,
  maxStorageBufferBindingSize: 2 ** 31 - 4,
  maxStorageBuffersPerShaderStage: 10,
} as const;

/** The least limits that WebGPU asks of a device. */
export const leastLimits = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
} as const;

/** Bytes of GPU buffers that generating with a model takes. */
export interface GenerationPlan {
  /** Of the parameters, once loaded. */
  weights: number;
  /** Of keys and values of all tokens. */
  cache: number;
  /** The most at any moment: while the prompt is read, or in the first step. */
  peak: number;
}

/**
 * Predicts the memory of loading a decoder and generating after a prompt, as `generate` does: the layers read the prompt at once, and the
 * recorded step reads the first token after it. On a device that computes nothing and has no memory; nothing is downloaded.
 *
 * @param tokens of the prompt and that one; at least 2
 * @throws InputError for a weight that the limits do not bind
 */
export function planGeneration(
  config: unknown,
  dtype: WeightDtype,
  tokens: number,
  limits: Readonly<Record<string, number>> = desktopLimits,
): Promise<GenerationPlan> {
  return planned(
    (count) => {
      const model = plannedModel(config, { dtype });
      const network = model.network as LanguageModel;
      const cache = new KeyValueCache();
      try {
        count.send(tensorsOf(model.params));
        count.settle();
        const weights = count.used;
        count.restart();
        rehearse(network, tokens - 1, cache);
        const { peak } = count;
        count.settle();
        const held = count.used;
        cache.dispose();
        count.settle();
        return { weights, cache: held - count.used, peak };
      } finally {
        cache.dispose();
        model.params.dispose();
      }
    },
    { limits },
  );
}

/**
 * Whether a device with these limits can bind every weight, in pieces where it must.
 *
 * @throws InputError for a configuration that no family reads
 */
export async function binds(
  config: unknown,
  dtype: WeightDtype,
  limits: Readonly<Record<string, number>>,
): Promise<boolean> {
  // Of a configuration that is read, weights alone are refused.
  modelParts(config);
  try {
    await planned(() => plannedModel(config, { dtype }).params.dispose(), { limits });
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** The tensors of a store, packed or not. */
function tensorsOf(params: ParamStore): tf.TensorInfo[] {
  const packed = Object.values(params.matrices()).flatMap(({ packed: weight }) =>
    weight instanceof PackedWeight ? [weight.words, ...(weight.scales ? [weight.scales] : [])] : [],
  );
  return [...Object.values(params.named()), ...packed];
}
