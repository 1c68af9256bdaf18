export { causal, type Mask, none } from '@headwise/kernels';
export { type AttendOptions, attend } from './attend.js';
export { attendCached, type CachedOptions } from './cached.js';
export { CrossAttention } from './cross.js';
export type { HeadOptions } from './heads.js';
export {
  type AttentionLayerOptions,
  MultiHeadAttention,
  type MultiHeadAttentionOptions,
} from './multi-head.js';
export {
  type Biases,
  FusedProjection,
  type Projected,
  type Projection,
  type ProjectionKind,
  type ProjectionOptions,
  SeparateProjection,
} from './projections.js';
