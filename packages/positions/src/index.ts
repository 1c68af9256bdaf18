export { LearnedPosition, type PositionTableOptions } from './learned.js';
export type { AttentionPosition, InputPosition, Placed, Span } from './position.js';
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
export { SinusoidalPosition, sinusoidalTable } from './sinusoidal.js';
