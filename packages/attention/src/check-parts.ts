import { checkLayer, checkPart, type Layer, type ParamStore } from '@headwise/core';
import { refuse } from '@headwise/core/internal';
import type { AttentionLayerOptions } from './layer-options.js';
import type {
  CrossProjection,
  CrossProjectionKind,
  Projection,
  ProjectionKind,
  ProjectionOptions,
} from './projections.js';

const aPosition = 'a position within attention, such as new RotaryPosition({ headDim, maxLength })';

/** @throws InputError unless it is an `AttentionPosition` instance, not a class or a position added to embeddings */
export function checkAttentionPosition(position: unknown): void {
  const { apply, forward } = (position ?? {}) as Record<string, unknown>;
  const ofInput = typeof forward === 'function' && typeof apply !== 'function';
  const hint = ofInput
    ? `${aPosition}; this one is added to the embeddings before the blocks`
    : aPosition;
  checkPart('attention: position', position, ['apply'], hint);
}

/** @throws InputError unless it is a projection class */
export function makeProjection(
  Kind: ProjectionKind,
  params: ParamStore,
  options: ProjectionOptions,
): Projection {
  const aKind = 'a class of projections, such as SeparateProjection or FusedProjection';
  if (typeof Kind !== 'function') refuse('attention: projection', Kind, aKind);
  if (typeof Kind.prototype?.project !== 'function') refuse('attention: projection', Kind, aKind);
  return new Kind(params, options);
}

/** @throws InputError unless it is a class of projections of two sequences */
export function makeCrossProjection(
  Kind: CrossProjectionKind,
  params: ParamStore,
  options: ProjectionOptions,
): CrossProjection {
  const aKind = 'a class of projections of two sequences, such as SeparateProjection';
  if (typeof Kind !== 'function') refuse('attention: projection', Kind, aKind);
  if (typeof Kind.prototype?.keysAndValues !== 'function') {
    refuse('attention: projection', Kind, aKind);
  }
  return new Kind(params, options);
}

/** @throws InputError naming a part of attention of the wrong kind */
export function checkCoreParts({ score, qkNorm, dropout }: AttentionLayerOptions): void {
  const makes = 'a function that makes one, such as';
  if (score !== undefined && typeof score !== 'function') {
    refuse('attention: score', score, `${makes} scaledDotProduct`);
  }
  if (qkNorm !== undefined && typeof qkNorm !== 'function') {
    refuse('attention: qkNorm', qkNorm, `${makes} (params, dim) => new RMSNorm(params, { dim })`);
  }
  if (dropout !== undefined) checkLayer('attention: dropout', dropout);
}

/** @throws InputError where the factory of a query or key norm does not return a norm */
export function checkedNorm(norm: Layer): Layer {
  checkLayer('attention: what qkNorm makes', norm);
  return norm;
}
