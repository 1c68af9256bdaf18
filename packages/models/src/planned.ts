import type { Packing } from '@headwise/core';
import { sharedZeros, sizeOf } from '@headwise/core/internal';
import { zeroWeight } from '@headwise/kernels/internal';
import type { FamilyConfiguration } from './families.js';
import { type CreateOptions, type Model, makeModel, modelOf } from './model.js';
import { packingOf, type WeightOptions } from './weight-options.js';

export interface PlannedOptions extends WeightOptions {
  /** Names the configuration in errors; default `config.json`. */
  name?: string | undefined;
}

/**
 * The model of a configuration with nothing but zeros in its parameters, for a run of `planned`: their memory on the host is
 * never touched.
 *
 * @throws InputError as `createModel` does
 */
export function plannedModel(json: unknown, options: PlannedOptions = {}): Model {
  return modelOf(json, zeroOptions(options), zeroPacking('planMemory', options));
}

/** `plannedModel` of a configuration that was read. */
export function plannedModelOf(read: FamilyConfiguration, options: WeightOptions): Model {
  return makeModel(read, zeroOptions(options), zeroPacking('loadModel', options));
}

function zeroOptions<O extends WeightOptions>(options: O): O & CreateOptions {
  const source = { read: (_: string, shape: readonly number[]) => sharedZeros(sizeOf(shape)) };
  return { ...options, source, memoryLimit: Number.POSITIVE_INFINITY };
}

/** The packing that options name, of zeros alone. */
function zeroPacking(op: string, options: WeightOptions): Packing | undefined {
  const { dtype = 'f32', group = 32 } = options;
  const real = packingOf(op, options);
  if (!real || dtype === 'f32') return undefined;
  return (path, shape, layout) =>
    real(path, shape, layout) && {
      step: 1,
      add() {},
      finish: () => zeroWeight(shape, dtype, layout, group),
    };
}
