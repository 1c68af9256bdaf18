export { type AttendOptions, attend } from './attend.js';
export { causal, type Mask, none } from './mask.js';
export { MultiHeadAttention, type MultiHeadAttentionOptions } from './multi-head.js';
export {
  FusedProjection,
  type Projected,
  type Projection,
  type ProjectionKind,
  type ProjectionOptions,
  SeparateProjection,
} from './projections.js';
