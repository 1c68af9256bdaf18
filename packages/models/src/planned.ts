import type { Packing } from '@headwise/core';
import { sharedZeros, sizeOf } from '@headwise/core/internal';
import { zeroWeight } from '@headwise/kernels/internal';
import { type Model, modelOf } from './model.js';
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
  const { dtype = 'f32', group = 32 } = options;
  const real = packingOf('planMemory', options);
  const packing: Packing | undefined =
    real && dtype !== 'f32'
      ? (path, shape, layout) =>
          real(path, shape, layout) && {
            step: 1,
            add() {},
            finish: () => zeroWeight(shape, dtype, layout, group),
          }
      : undefined;
  const source = { read: (_: string, shape: readonly number[]) => sharedZeros(sizeOf(shape)) };
  return modelOf(json, { ...options, source, memoryLimit: Number.POSITIVE_INFINITY }, packing);
}
