export {
  type FusedPosition,
  type PositionKind,
  type PositionOf,
  type PositionSizes,
  positionKinds,
  type TokenPosition,
} from './kinds.js';
export { steadyLength } from './rotary-scaling.js';
export { rotaryScaling } from './rotary-scaling-schema.js';
