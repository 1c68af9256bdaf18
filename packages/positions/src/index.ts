export {
  LearnedPosition,
  type LearnedPositionOptions,
  type PositionTableOptions,
} from './learned.js';
export {
  type AttentionPosition,
  checkPositions,
  type InputPosition,
  type Placed,
  type Span,
} from './position.js';
export { RotaryPosition, type RotaryPositionOptions } from './rotary.js';
export {
  type DynamicScaling,
  type Frequencies,
  type LinearScaling,
  type Llama3Scaling,
  type RotaryScaling,
  type Rotation,
  rotaryFrequencies,
  type YarnScaling,
} from './rotary-scaling.js';
export {
  type SinusoidalLayout,
  SinusoidalPosition,
  type SinusoidalPositionOptions,
  sinusoidalTable,
} from './sinusoidal.js';
