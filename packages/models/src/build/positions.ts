import type { ParamStore } from '@headwise/core';
import {
  AlibiPosition,
  type AttentionPosition,
  type InputPosition,
  LearnedPosition,
  RotaryPosition,
  ShawPosition,
  SinusoidalPosition,
  T5Position,
  TransformerXLPosition,
} from '@headwise/positions';
import type { ModelConfiguration } from './model-configuration.js';

/** The position that is added to the embeddings, if it is one of those. */
export function makeInputPosition(
  params: ParamStore,
  { position, dim, maxLength }: ModelConfiguration,
): InputPosition | undefined {
  switch (position.kind) {
    case 'learned':
      return new LearnedPosition(params, { maxLength, dim });
    case 'sinusoidal':
      return new SinusoidalPosition({ maxLength, dim });
    default:
      return undefined;
  }
}

/**
 * The position that acts within attention, if it is one of those: one for all layers, or of a layer's own.
 *
 * @param params of what all layers share
 * @returns gives a layer its position, from the place of its own parameters
 */
export function makeAttentionPosition(
  params: ParamStore,
  config: ModelConfiguration,
): (layer: ParamStore) => AttentionPosition | undefined {
  const { position, dim, layout, heads } = config;
  if (position.kind === 'transformer-xl') {
    const { maxDistance, sharedBiases } = position;
    const biases = sharedBiases ? params : undefined;
    const sizes = {
      dim,
      heads: heads.count,
      headDim: headDim(config),
      maxDistance,
      layout,
      biases,
    };
    return (layer) => new TransformerXLPosition(layer, sizes);
  }
  const shared = sharedPosition(params, config);
  return () => shared;
}

function sharedPosition(
  params: ParamStore,
  config: ModelConfiguration,
): AttentionPosition | undefined {
  const { position, maxLength } = config;
  const heads = config.heads.count;
  switch (position.kind) {
    case 'rotary': {
      const { kind: _, trainedLength = maxLength, ...options } = position;
      return new RotaryPosition({ dim: headDim(config), maxLength: trainedLength, ...options });
    }
    case 'alibi':
      return new AlibiPosition({ heads, factor: position.factor, rounding: position.rounding });
    case 't5': {
      const { buckets, maxDistance } = position;
      return new T5Position(params, {
        heads,
        buckets,
        maxDistance,
        bidirectional: config.topology === 'encoder',
      });
    }
    case 'shaw':
      return new ShawPosition(params, { headDim: headDim(config), clip: position.clip });
    default:
      return undefined;
  }
}

/** `Dh` */
const headDim = ({ heads, dim }: ModelConfiguration): number => heads.dim ?? dim / heads.count;
