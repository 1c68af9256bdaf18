export { AlibiPosition, type AlibiPositionOptions, alibiSlopes } from './alibi.js';
export {
  DisentangledPosition,
  type DisentangledPositionOptions,
  type DisentangledTerm,
  type DistanceRows,
} from './disentangled.js';
export {
  LearnedPosition,
  type LearnedPositionOptions,
  type PositionTableOptions,
} from './learned.js';
export type {
  AlibiPart,
  DisentangledPart,
  LearnedPart,
  NamedPosition,
  PositionParts,
  RotaryLayer,
  RotaryPart,
  RotaryRule,
  ShawPart,
  SinusoidalPart,
  T5Part,
  TransformerXLPart,
} from './parts.js';
export { positionsAfterPadding, positionsFromMask } from './places.js';
export {
  type AttentionPosition,
  checkPositions,
  type InputPosition,
  noPosition,
  type Placed,
  type Placement,
  type Span,
} from './position.js';
export { RotaryPosition, type RotaryPositionOptions, rotaryTable } from './rotary.js';
export {
  type DynamicScaling,
  type Frequencies,
  type LinearScaling,
  type Llama3Scaling,
  type LongRopeScaling,
  type RotaryScaling,
  type Rotation,
  rotaryFrequencies,
  type YarnScaling,
} from './rotary-scaling.js';
export { ShawPosition, type ShawPositionOptions } from './shaw.js';
export {
  type SinusoidalLayout,
  SinusoidalPosition,
  type SinusoidalPositionOptions,
  type SinusoidalRows,
  sinusoidalTable,
} from './sinusoidal.js';
export { T5Position, type T5PositionOptions, t5Buckets } from './t5.js';
export { TransformerXLPosition, type TransformerXLPositionOptions } from './transformer-xl.js';
