import type { ParamStore } from '@headwise/core';
import type { ModelConfiguration } from './model-configuration.js';
import {
  type ContextOf,
  factoryOf,
  type OwnPart,
  type OwnParts,
  type OwnSlot,
  type PartContext,
} from './own-parts.js';

/** Makes a part of one's own for the stack of a configuration. */
export function makeOwn<S extends OwnSlot>(
  slot: S,
  params: ParamStore,
  part: OwnPart,
  config: ModelConfiguration,
  more?: Omit<ContextOf<S>, keyof PartContext>,
): OwnParts[S] {
  const { dim, heads, topology, maxLength, layers } = config;
  const context: PartContext = {
    topology: topology === 'encoder' ? 'encoder' : 'decoder',
    maxLength,
    layers,
    dim,
    heads: heads.count,
    kvHeads: heads.kv ?? heads.count,
    headDim: heads.dim ?? dim / heads.count,
    kvDim: dim,
    options: part.options ?? {},
  };
  return factoryOf(slot, part)(params, { ...context, ...more } as ContextOf<S>);
}
