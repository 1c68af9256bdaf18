import { InputError } from '@headwise/core';
import type { CheckpointTensors } from '../checkpoint-files.js';
import { awqMatrices } from './awq.js';
import { bitsandbytesMatrices } from './bitsandbytes.js';
import { fp8Matrices } from './fp8.js';
import { gptqMatrices } from './gptq.js';
import { type FindMatrices, Parts } from './matrix.js';
import { KeptQuantizedReader, QuantizedReader } from './reader.js';

/** The methods of other programs that are read, by `quant_method`. */
const methods: Readonly<Record<string, FindMatrices>> = {
  gptq: gptqMatrices,
  awq: awqMatrices,
  fp8: fp8Matrices,
  bitsandbytes: bitsandbytesMatrices,
};

export const quantizedMethods: readonly string[] = Object.keys(methods);

/** Whether a method's matrices are all dequantised as they are read. */
export const isDequantized = (method: unknown): boolean =>
  method === 'fp8' || method === 'bitsandbytes';

/**
 * The tensors of a checkpoint whose matrices another program has quantised.
 *
 * @param method one of `quantizedMethods`
 * @throws InputError naming a setting or a tensor, what was given and what was expected
 */
export function readQuantized(
  { reader, name }: CheckpointTensors,
  method: string,
  quantization: unknown,
  configName: string,
): CheckpointTensors {
  const json = { quantization_config: quantization };
  const matrices = methods[method]!(new Parts(reader, name), json, configName);
  const kept = [...matrices.values()].some((matrix) => matrix.kept);
  const own = kept
    ? new KeptQuantizedReader(reader, matrices, name)
    : new QuantizedReader(reader, matrices, name);
  return {
    reader: own,
    name,
    storedAs(family) {
      // Quantised matrices are [Out, In] in every method, and those of GPT-2 [In, Out]: square ones would be taken for their transposes.
      if (family.modelType !== 'gpt2') return family;
      throw new InputError(
        `${configName}: 'quantization_config.quant_method' is '${method}' and 'model_type' 'gpt2'; expected a family whose matrices lie [Out, In]`,
      );
    },
  };
}
