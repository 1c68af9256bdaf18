export { LearnedPosition, type PositionTableOptions } from './learned.js';
export type { InputPosition } from './position.js';
export { SinusoidalPosition, sinusoidalTable } from './sinusoidal.js';
