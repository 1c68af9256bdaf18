import { checkOneOf } from '@headwise/core';
import { type WeightDtype, weightDtypes } from '@headwise/models';
import { Option } from 'commander';

/** `--dtype`: how a command keeps the weights of its model in memory; default as `loadModel` does. */
export const dtypeOption = (): Option =>
  new Option(
    '--dtype <type>',
    `weights in memory: ${weightDtypes.join(', ')} (default: f32; of a GGUF file as the file has them)`,
  ).argParser((value): WeightDtype => {
    checkOneOf('--dtype', value, weightDtypes);
    return value;
  });
